"""Storage: containers hold what they were given, and their sizes scale as measured."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from benchmarks import containers, storage
from benchmarks.containers import CONTAINERS, INODE, Law, Stored, law, measure
from tokcodec.errors import ArgumentError, TokCodecWarning


def streams(count: int, payload: int = 24) -> list[bytes]:
    """Streams of pictures of several sizes; any bytes are a code string."""
    rng = np.random.default_rng(0)
    heads = [tokcodec.encode(np.zeros((4 + i, 9, 3), np.uint8), 0)[:8] for i in range(16)]
    return [heads[rng.integers(16)] + rng.bytes(payload) for _ in range(count)]


def test_law_finds_a_linear_container() -> None:
    def size(n: int) -> Stored:
        return Stored(n, 40 * n, 100 + 47 * n)

    found = law(size(10), size(80))
    assert found == pytest.approx(Law(mean=40, added=7, fixed=100))
    assert found.scaled(1000) == pytest.approx(100 + 47 * 1000)


def test_entries_of_other_sizes_are_no_overhead() -> None:
    found = law(Stored(10, 300, 300 + 10 * 7), Stored(80, 4000, 4000 + 80 * 7))
    assert found == pytest.approx(Law(mean=50, added=7, fixed=0))


@pytest.mark.parametrize("name", ["bundle", "Parquet", "Parquet, zstd", "Parquet, bare streams"])
def test_law_foretells_a_larger_container(name: str, tmp_path: Path) -> None:
    if name.startswith("Parquet"):
        pytest.importorskip("pyarrow")
    entries = streams(16384)
    found = measure(entries[:4096], CONTAINERS[name])
    assert found is not None
    there = CONTAINERS[name](entries, tmp_path)
    assert found.scaled(len(entries)) == pytest.approx(there, rel=0.01)


def test_blocks_and_files(tmp_path: Path) -> None:
    entries = [b"x" * n for n in (1, 4096, 4097)]
    assert containers.as_blocks(entries, tmp_path) == 4096 * (1 + 1 + 2) + 3 * INODE
    measured = containers.as_files(entries, tmp_path)
    assert measured >= 3 * INODE
    assert sorted(p.stat().st_size for p in tmp_path.iterdir()) == [1, 4096, 4097]


def test_bundle_holds_the_streams(tmp_path: Path) -> None:
    entries = streams(5)
    assert containers.as_bundle(entries, tmp_path) == (tmp_path / "entries.tkb").stat().st_size
    assert list(tokcodec.Bundle(tmp_path / "entries.tkb")) == entries
    assert containers.as_bundle([b"\xff\xd8 a JPEG"], tmp_path) is None


def test_parquet_holds_the_entries(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    entries = [*streams(5), b"\xff\xd8 a JPEG"]
    for compression in ("none", "zstd"):
        containers.as_parquet(compression)(entries, tmp_path)
        table = parquet.read_table(tmp_path / "entries.parquet")
        assert table["picture"].to_pylist() == entries
    assert containers.as_parquet("none", is_bare=True)(entries, tmp_path) is None


def test_bare_streams_are_the_same_pictures(astronaut: np.ndarray) -> None:
    stream = tokcodec.encode(astronaut, max_bytes=80)
    bare = containers.bare(stream)
    assert len(bare) == len(stream) - 4
    assert tokcodec.decode(bare, bare="size") == tokcodec.decode(stream)


def test_without_pyarrow_one_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    containers._pyarrow.cache_clear()
    try:
        with pytest.warns(TokCodecWarning, match="pyarrow"):
            assert measure(streams(8), CONTAINERS["Parquet"]) is None
        # warnings are errors in tests: there is no second one
        assert measure(streams(8), CONTAINERS["Parquet, zstd"]) is None
    finally:
        containers._pyarrow.cache_clear()


def test_overhead_needs_two_entries() -> None:
    with pytest.raises(ArgumentError, match="two entries"):
        measure([b"x"], containers.as_blocks)


def test_crops_are_distinct_and_come_again(astronaut: np.ndarray) -> None:
    image = Image.fromarray(astronaut)
    found = list(storage.crops(image, "a", range(40), side=64))
    assert len({(c.size, c.tobytes()) for c in found}) == 40
    assert len({c.size for c in found}) > 10
    assert all(min(c.size) >= 24 and max(c.size) <= 64 for c in found)
    assert list(storage.crops(image, "a", range(20, 40), side=64)) == found[20:]
    assert list(storage.crops(image, "b", range(40), side=64)) != found


def test_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], photograph) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("astronaut", "coffee"):
        Image.fromarray(photograph(name, 60, 44)).save(folder / f"{name}.png")
    (folder / "broken.png").write_bytes(b"\x89PNG no more")
    parser = argparse.ArgumentParser()
    storage.add_arguments(parser)
    given = ["--images", str(folder), "--bytes", "16,32", "--entries", "24", "--side", "48"]
    out = tmp_path / "out"
    assert storage.run(parser.parse_args([*given, "--jobs", "1", "--out", str(out)])) == 1
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith("broken.png: ")

    lines = [line.split("\t") for line in (out / "pictures.tsv").read_text().splitlines()]
    assert tuple(lines[0]) == storage.COLUMNS
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    forms = ["tokcodec 16", "tokcodec 32", *(r.name for r in storage.RIVALS)]
    assert len(rows) == len(forms) * (1 + len(CONTAINERS))
    total = {(r["form"], r["container"]): r["million_bytes"] for r in rows}
    assert float(total["tokcodec 32", "bytes alone"]) == 32e6
    assert float(total["tokcodec 32", "files, 4096-byte blocks"]) == (4096 + INODE) * 1e6
    assert 24e6 < float(total["tokcodec 32", "bundle"]) < 40e6
    assert total["JPEG q75", "bundle"] == ""
    assert "| tokcodec 16 | 16.0 | 16.0 | 4,352.0 |" in said.out
