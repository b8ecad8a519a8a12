"""Bundles are written whole or not at all, of streams of one model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tests.stream.bundled import NAMES
from tokcodec import Bundle
from tokcodec.errors import (
    ArgumentError,
    BadMagicError,
    DamagedHeaderError,
    ModelMismatchError,
    OutputError,
    OutputExistsError,
    TruncatedHeaderError,
)


def test_write_returns_the_bundle(tmp_path: Path, streams: list[bytes]) -> None:
    assert list(Bundle.write(str(tmp_path / "b.tkb"), streams)) == streams


def test_streams_from_a_generator_without_names(tmp_path: Path, streams: list[bytes]) -> None:
    bundle = Bundle.write(tmp_path / "b.tkb", (bytearray(s) for s in streams))
    assert list(bundle) == streams
    assert bundle.names == [""] * len(streams)


def test_streams_may_lie_in_other_buffers(tmp_path: Path, streams: list[bytes]) -> None:
    given = [memoryview(streams[0]), bytearray(streams[1])]
    assert list(Bundle.write(tmp_path / "b.tkb", given)) == streams[:2]
    with pytest.raises(ArgumentError, match="a stream is bytes"):
        Bundle.write(tmp_path / "c.tkb", [None])  # type: ignore[list-item]


def test_a_bundle_of_a_custom_model(custom: tokcodec.Codec, tmp_path: Path) -> None:
    picture = np.tile(np.arange(40, dtype=np.uint8), (30, 1))
    many = [custom.encode(picture + np.uint8(i), 20) for i in range(3)]
    bundle = Bundle.write(tmp_path / "own.tkb", many)
    assert list(bundle) == many
    assert bundle.model.id == custom.model.id


def test_streams_of_two_models_are_refused(custom, tmp_path: Path, streams: list[bytes]) -> None:
    other = custom.encode(np.zeros((9, 9), np.uint8), 5)
    for many in ([streams[0], other], [other, streams[0]]):
        with pytest.raises(ModelMismatchError):
            Bundle.write(tmp_path / "b.tkb", many)
    assert not (tmp_path / "b.tkb").exists()


def test_an_existing_file_is_kept_unless_told_otherwise(file: Path, streams: list[bytes]) -> None:
    before = file.read_bytes()
    with pytest.raises(OutputExistsError):
        Bundle.write(file, streams[:1])
    assert file.read_bytes() == before
    assert len(Bundle.write(file, streams[:1], overwrite=True)) == 1


def bad_streams(streams: list[bytes]) -> dict[str, tuple[list, type[Exception]]]:
    damaged = bytearray(streams[1])
    damaged[5] ^= 1
    return {
        "none": ([], ArgumentError),
        "truncated": ([streams[0], streams[1][:5]], TruncatedHeaderError),
        "no stream": ([streams[0], b"\x89PNG"], BadMagicError),
        "damaged": ([streams[0], bytes(damaged)], DamagedHeaderError),
    }


@pytest.mark.parametrize("case", ["none", "truncated", "no stream", "damaged"])
def test_a_failed_write_leaves_nothing_behind(case: str, tmp_path: Path, streams) -> None:
    many, wanted = bad_streams(streams)[case]
    with pytest.raises(wanted):
        Bundle.write(tmp_path / "b.tkb", many)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_what_was_there(file: Path, streams: list[bytes]) -> None:
    before = file.read_bytes()
    for many, wanted in bad_streams(streams).values():
        with pytest.raises(wanted):
            Bundle.write(file, many, overwrite=True)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_an_error_of_the_caller_passes_and_leaves_nothing_behind(tmp_path: Path, streams) -> None:
    def failing() -> Iterator[bytes]:
        yield streams[0]
        raise RuntimeError("the caller's own")

    with pytest.raises(RuntimeError, match="the caller's own"):
        Bundle.write(tmp_path / "b.tkb", failing())
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, streams: list[bytes]) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
    try:
        with pytest.raises(OutputError):
            Bundle.write(tmp_path / "b.tkb", streams)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_too_few_names_are_refused(tmp_path: Path, streams: list[bytes]) -> None:
    with pytest.raises(ArgumentError, match="fewer names"):
        Bundle.write(tmp_path / "b.tkb", streams, NAMES[:-1])
    assert list(tmp_path.iterdir()) == []


def test_too_many_names_are_refused(tmp_path: Path, streams: list[bytes]) -> None:
    with pytest.raises(ArgumentError, match="more names"):
        Bundle.write(tmp_path / "b.tkb", streams, [*NAMES, "one.png"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", [(0, None), (slice(None), "abcdefg")])
def test_one_where_many_are_wanted(wrong, tmp_path: Path, streams: list[bytes]) -> None:
    index, names = wrong
    with pytest.raises(ArgumentError, match="not one "):
        Bundle.write(tmp_path / "b.tkb", streams[index], names)


@pytest.mark.parametrize("name", ["x" * 65_536, "\udcff", Path("a.png"), 5])
def test_impossible_names_are_refused(name, tmp_path: Path, streams: list[bytes]) -> None:
    with pytest.raises(ArgumentError, match="name"):
        Bundle.write(tmp_path / "b.tkb", streams[:1], [name])
    assert list(tmp_path.iterdir()) == []


def test_the_longest_name(tmp_path: Path, streams: list[bytes]) -> None:
    assert Bundle.write(tmp_path / "b.tkb", streams[:1], ["x" * 65_535]).name(0) == "x" * 65_535
