"""Many inputs at once: folders, trees, one bad file among good ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tests.cli.typed import names, one_line, photo, pixels, run

LONG = "a" * 300  # no file system takes such a name


def test_trees_are_recreated_there_and_back(tree: Path, capsys) -> None:
    assert run("encode", "in", "-b", 30, "-o", "streams") == 0
    assert names(tree / "streams") == ["a/b/rocket.tkc", "a/cup.tkc", "cat.tkc"]
    assert run("decode", "streams", "-o", "pictures") == 0
    assert names(tree / "pictures") == ["a/b/rocket.png", "a/cup.png", "cat.png"]
    assert run("cut", "streams", "-m", 14, "-o", "short") == 0
    assert names(tree / "short") == names(tree / "streams")
    for name in names(tree / "streams"):
        stream = (tree / "streams" / name).read_bytes()
        assert (tree / "short" / name).read_bytes() == stream[:14]
        picture = (tree / "pictures" / name).with_suffix(".png")
        assert np.array_equal(pixels(picture), pixels(tokcodec.decode(stream)))
    assert capsys.readouterr() == ("", "")


def test_a_folder_without_out_is_filled_in_place(tree: Path) -> None:
    assert run("encode", "in", "-b", 5) == 0
    wanted = ["a/b/rocket.bmp", "a/b/rocket.tkc", "a/cup.JPG", "a/cup.tkc", "a/notes.txt"]
    assert names(tree / "in") == [*wanted, "cat.png", "cat.tkc"]


def test_two_pictures_never_become_one_stream(tree: Path, capsys) -> None:
    photo("rocket").save("in/cat.jpg")
    for options in (["-o", "out"], ["-o", "out", "-f"]):
        assert run("encode", "in", "-b", 5, *options) == 1
        said = one_line(capsys.readouterr().err)
        assert "in/cat.png: out/cat.tkc is for in/cat.jpg" in said
        assert names(tree / "out") == ["a/b/rocket.tkc", "a/cup.tkc", "cat.tkc"]
        rocket = tokcodec.decode((tree / "out/cat.tkc").read_bytes(), decoder="linear")
        assert np.abs(pixels(rocket).astype(int) - pixels(photo("rocket"))).mean() < 40


def test_two_pictures_of_one_name_are_told(tree: Path, capsys) -> None:
    photo("rocket").save("cat.png")
    assert run("encode", "cat.png", "in/cat.png", "-b", 5, "-o", "out") == 1
    assert "in/cat.png: out/cat.tkc is for cat.png" in one_line(capsys.readouterr().err)
    assert names(tree / "out") == ["cat.tkc"]


def test_one_file_by_several_names_is_one_job(tree: Path, capsys) -> None:
    names_of_it = ["cat.png", str(tree / "cat.png"), "in/../cat.png", "cat.png"]
    photo().save("cat.png")
    assert run("encode", *names_of_it, "-b", 5) == 0
    photo("rocket").save("cat.jpg")
    assert run("encode", str(tree / "cat.png"), "cat.jpg", "-b", 5, "-f") == 1
    assert "cat.tkc is for" in one_line(capsys.readouterr().err)


@pytest.mark.parametrize(
    "typed",
    [
        ["encode", "in/cat.png", "in/a/cup.JPG", "-o", "one.tkc"],
        ["encode", "in", "-o", "one.TKC"],
        ["decode", "s/cat.tkc", "s/a/cup.tkc", "-o", "one.jpg"],
        ["cut", "s", "-m", 12, "-o", "one.tkc"],
    ],
)
def test_a_files_name_is_no_folder_for_several(tree: Path, capsys, typed: list) -> None:
    assert run("encode", "in", "-b", 5, "-o", "s") == 0
    assert run(*typed) == 1
    assert f"{typed[-1]} is the name of one file" in one_line(capsys.readouterr().err)
    assert not (tree / typed[-1]).exists()
    assert run(*typed[:-1], f"{typed[-1]}/") == 0  # said to be a folder
    assert (tree / typed[-1]).is_dir()
    assert run(*typed, "-f") == 0  # which it is now


def test_an_empty_folder_does_not_stop_the_rest(tree: Path, capsys) -> None:
    (tree / "empty").mkdir()
    assert run("encode", "empty", "in/a", "-b", 5, "-o", "out") == 1
    assert "the folder empty holds no file" in one_line(capsys.readouterr().err)
    assert names(tree / "out") == ["b/rocket.tkc", "cup.tkc"]
    assert run("info", "out/cup.tkc", "empty", "out/b") == 1
    assert capsys.readouterr().out.count("48x32") == 2


def test_an_empty_folder_is_told(folder: Path, capsys) -> None:
    (folder / "empty").mkdir()
    for command in ("encode", "decode", "info"):
        assert run(command, "empty") == 1
        assert "holds no file" in one_line(capsys.readouterr().err)


def test_a_closed_folder_is_told_and_the_rest_goes_on(
    folder: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    closed = folder / "closed"
    closed.mkdir()
    scan = os.scandir

    def refused(path):
        if str(path) == str(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refused)
    assert run("encode", folder, "-b", 3, "-o", tmp_path / "out") == 1
    assert str(closed) in one_line(capsys.readouterr().err)
    assert names(tmp_path / "out")
    for more in ([], ["-o", tmp_path / "out"]):
        assert run("encode", closed, "-b", 3, *more) == 1
        assert str(closed) in one_line(capsys.readouterr().err)


def test_folders_give_what_can_be_read(tmp_path: Path) -> None:
    photo().save(tmp_path / "a.png")
    for name in ("b.pdf", "c.mpg", "d.h5", "e.txt"):
        (tmp_path / name).write_bytes(b"%PDF-1.4")
    assert run("encode", tmp_path, "-b", 3, "-o", tmp_path / "out") == 0
    assert names(tmp_path / "out") == ["a.tkc"]


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes on Linux alone")
def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    stream = tmp_path / os.fsdecode(b"caf\xe9.tkc")
    stream.write_bytes(tokcodec.encode(photo(), 3))
    command = [sys.executable, "-m", "tokcodec", "info", str(tmp_path)]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, env=environment, check=True)
    assert b"caf\xe9.tkc: 48x" in done.stdout


def test_one_bad_file_does_not_stop_the_rest(folder: Path, capsys) -> None:
    (folder / "bad.png").write_bytes(b"no picture")
    photo("coffee").save("cup.png")
    assert run("encode", "bad.png", "gone.png", "cup.png", "-b", 5, "-o", "out") == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("tokcodec: bad.png: ")
    assert lines[1].startswith("tokcodec: gone.png: ")
    assert names(folder / "out") == ["cup.tkc"]


@pytest.mark.parametrize("options", [[], ["-f"], ["-o", "out"], ["-o", "out", "-f"]])
def test_a_name_too_long_does_not_stop_the_rest(folder: Path, capsys, options: list) -> None:
    photo("coffee").save("cup.png")
    assert run("encode", f"{LONG}.png", "cup.png", "-b", 5, *options) == 1
    said = one_line(capsys.readouterr().err)
    assert said.startswith(f"tokcodec: {LONG}.png: cannot ")
    assert "too long" in said
    assert len(list(folder.rglob("cup.tkc"))) == 1


def test_names_too_long_are_told_as_what_they_are(folder: Path, capsys) -> None:
    for options in ([], ["-f"]):
        assert run("encode", "cat.png", "-o", f"{LONG}.tkc", *options) == 1
        assert f"cannot write {LONG}.tkc" in one_line(capsys.readouterr().err)
    assert run("info", LONG, "cat.tkc") == 1
    out, err = capsys.readouterr()
    assert f"cannot read {LONG}" in one_line(err)
    assert out.startswith("cat.tkc: ")


def test_one_bad_stream_does_not_stop_the_rest(folder: Path, capsys) -> None:
    (folder / "bad.tkc").write_bytes(b"\xb7T")
    (folder / "good.tkc").write_bytes((folder / "cat.tkc").read_bytes())
    assert run("decode", "bad.tkc", "gone.tkc", "good.tkc", "-o", "out") == 1
    assert len(capsys.readouterr().err.splitlines()) == 2
    assert names(folder / "out") == ["good.png"]
    assert run("cut", "bad.tkc", "good.tkc", "-m", 12, "-o", "short") == 1
    assert names(folder / "short") == ["good.tkc"]
    capsys.readouterr()
    assert run("info", "bad.tkc", "good.tkc") == 1
    out, err = capsys.readouterr()
    assert out.startswith("good.tkc: 48x32")
    assert "bad.tkc" in one_line(err)
