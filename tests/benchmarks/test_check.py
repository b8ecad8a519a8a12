"""Rows against what comes out here: what is found, what is let pass, and what cannot be checked."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.__main__ import main
from benchmarks.rd import file_name
from benchmarks.rows import Row, read, write

OURS = "tokcodec:pyramid@linear"
NAMES = ("astronaut.png", "chelsea.png", "coffee.png")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of three small photographs, and in it one of the rows of tokcodec and WebP."""
    from tests.conftest import load_photograph

    folder = tmp_path_factory.mktemp("photos")
    for name in NAMES:
        Image.fromarray(load_photograph(Path(name).stem, 40, 32)).save(folder / name)
    arguments = ["--images", str(folder), "--codecs", f"{OURS},webp", "--bytes", "20,90,250"]
    arguments += ["--out", str(folder / "rows"), "--metrics", "psnr", "--workers", "1"]
    assert main(["rd", *arguments]) == 0
    return folder


@pytest.fixture
def photos(measured: Path, tmp_path: Path) -> Path:
    """The same for a test to change."""
    return shutil.copytree(measured, tmp_path / "photos")


def check(photos: Path, *more: str) -> int:
    return main(["check", str(photos / "rows"), "--images", str(photos), "--workers", "1", *more])


def change(photos: Path, codec: str, how: Callable[[Row], Row]) -> None:
    path = photos / "rows" / file_name(codec)
    write(path, [how(row) for row in read(path)])


def test_rows_come_out_the_same_and_nothing_is_written(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "another.png").write_bytes((photos / "coffee.png").read_bytes())  # has no rows
    before = {path: path.read_bytes() for path in (photos / "rows").iterdir()}
    assert check(photos, "--codecs", "all", "--tolerance", "0") == 0
    said = capsys.readouterr().out
    assert f"{OURS}: 9 of 9 rows the same\n" in said
    assert "webp: 18 of 18 rows the same\n" in said  # those among them that nothing fits
    assert "3 of 3 pictures" in said
    assert {path: path.read_bytes() for path in (photos / "rows").iterdir()} == before


@pytest.mark.parametrize(
    ("codec", "target", "how", "told"),
    [
        (OURS, 90, lambda r: r._replace(bytes=r.bytes - 1), "bytes with max_bytes=90; the row has"),
        (OURS, 250, lambda r: r._replace(psnr=r.psnr - 0.02), "dB; the row has"),
        (OURS, 90, lambda r: r._replace(settings="max_bytes=80"), "bytes with max_bytes=80"),
        ("webp", 20, lambda r: r._replace(settings="nothing fits: smallest 21"), "the row has no"),
    ],
)
def test_a_row_that_comes_out_otherwise_is_named(
    codec: str,
    target: int,
    how: Callable[[Row], Row],
    told: str,
    photos: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change(photos, codec, lambda r: how(r) if (r.image, r.target) == (NAMES[1], target) else r)
    assert check(photos, "--codecs", codec) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{codec}, {NAMES[1]}, {target} bytes")
    assert told in lines[0]
    assert not any(f"{target} bytes" in line and NAMES[0] in line for line in lines)


def test_psnr_may_differ_as_much_as_is_allowed(photos: Path) -> None:
    change(photos, OURS, lambda r: r._replace(psnr=(r.psnr or 0) + 0.0006))
    assert check(photos) == 0
    assert check(photos, "--tolerance", "0.0002") == 1


def test_some_pictures_stand_for_the_set(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    change(photos, OURS, lambda r: r._replace(psnr=1.0) if r.image == NAMES[1] else r)
    assert check(photos, "--pictures", "2") == 0
    said = capsys.readouterr().out
    assert "6 of 6 rows" in said
    assert f"2 of 3 pictures ({NAMES[0]}, {NAMES[2]})" in said
    assert check(photos, "--pictures", "0") == 1


def test_what_made_the_rows_is_told_where_it_is_not_here(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(photos, OURS, lambda r: r._replace(version="tokcodec 0.0.1"))
    assert check(photos) == 0
    assert "rows the same (made by tokcodec 0.0.1; here tokcodec " in capsys.readouterr().out


def test_pictures_that_are_others_are_told_as_such(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (photos / "coffee.png").write_bytes((photos / "astronaut.png").read_bytes())
    assert check(photos) == 1
    assert "of another coffee.png" in capsys.readouterr().err


def test_a_codec_that_is_not_here_does_not_hold_up_the_others(
    photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = "nosuch:make"
    write(photos / "rows" / "gone.tsv", [Row(NAMES[0], gone, "1", "", 90, "PSNR", 80, psnr=20.0)])
    assert check(photos, "--codecs", "all") == 1
    said = capsys.readouterr()
    assert gone in said.err
    assert "webp: 18 of 18 rows the same" in said.out


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--codecs", "avif"], "no rows of avif; there are: tokcodec"),
        (["--pictures", "-1"], "--pictures"),
        (["--tolerance", "nan"], "--tolerance"),
        (["--images", "scikit-image"], "none of the pictures"),
    ],
)
def test_what_cannot_be_checked_is_refused(
    more: list[str], told: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(photos, *more) == 1
    assert told in capsys.readouterr().err
