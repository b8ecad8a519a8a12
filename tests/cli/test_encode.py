"""`tokcodec encode`: limits, places and names of what it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

import tokcodec
from tests.cli.typed import names, one_line, photo, run


def test_encode_writes_beside_the_picture(folder: Path, capsys) -> None:
    (folder / "cat.tkc").unlink()
    assert run("encode", "cat.png", "-b", 40) == 0
    assert (folder / "cat.tkc").read_bytes() == tokcodec.encode(folder / "cat.png", 40)
    assert names(folder) == ["cat.png", "cat.tkc"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        ([], {}),
        (["--budget", 25], {"budget": 25}),
        (["-m", 50], {"max_bytes": 50}),
        (["--max-bytes", 50, "-b", 10], {"max_bytes": 50, "budget": 10}),
        (["--psnr", 22.5], {"psnr": 22.5}),
        (["--model", "pyramid-3", "-b", 9], {"budget": 9}),
    ],
)
def test_encode_with_limits(folder: Path, options: list, limits: dict) -> None:
    assert run("encode", "cat.png", "-o", "out.tkc", *options) == 0
    assert (folder / "out.tkc").read_bytes() == tokcodec.encode(folder / "cat.png", **limits)


def test_encode_on_a_background(folder: Path) -> None:
    image = photo().convert("RGBA")
    image.putalpha(90)
    image.save("ghost.png")
    assert run("encode", "ghost.png", "-b", 40, "--background", "255,0,10") == 0
    wanted = tokcodec.encode(image, 40, background=(255, 0, 10))
    assert (folder / "ghost.tkc").read_bytes() == wanted != tokcodec.encode(image, 40)


def test_a_psnr_out_of_reach_is_a_warning(folder: Path, capsys) -> None:
    assert run("encode", "cat.png", "-o", "full.tkc", "--psnr", 100) == 0
    assert "warning" in one_line(capsys.readouterr().err)
    assert tokcodec.info((folder / "full.tkc").read_bytes()).complete


def test_encode_makes_missing_folders(folder: Path) -> None:
    assert run("encode", "cat.png", "-b", 5, "-o", "new/deep/cat.tkc") == 0
    assert "new/deep/cat.tkc" in names(folder)


@pytest.mark.parametrize("out", ["there", "there/"])
def test_encode_into_a_folder(folder: Path, out: str) -> None:
    (folder / "there").mkdir()
    assert run("encode", "cat.png", "-b", 5, "-o", out) == 0
    assert names(folder / "there") == ["cat.tkc"]


def test_a_trailing_slash_means_a_folder(folder: Path) -> None:
    assert run("encode", "cat.png", "-b", 5, "-o", "new/") == 0
    assert names(folder / "new") == ["cat.tkc"]


def test_a_picture_is_never_replaced_by_its_stream(folder: Path, capsys) -> None:
    before = (folder / "cat.png").read_bytes()
    for out in ("cat.png", "./cat.png", folder / "cat.png"):
        assert run("encode", "cat.png", "-b", 5, "-f", "-o", out) == 1
        assert "the name of a picture" in one_line(capsys.readouterr().err)
    assert (folder / "cat.png").read_bytes() == before


def test_several_files_into_a_folder(folder: Path) -> None:
    photo("coffee").save("cup.png")
    assert run("encode", "cat.png", "cup.png", "-b", 5, "-o", "out") == 0
    assert names(folder / "out") == ["cat.tkc", "cup.tkc"]
    assert (folder / "out/cup.tkc").read_bytes() == tokcodec.encode(folder / "cup.png", 5)
