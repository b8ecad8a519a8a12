"""`tokcodec cut`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tokcodec
from tests.cli.typed import one_line, photo, run


def test_cut_as_encode(folder: Path) -> None:
    assert run("cut", "cat.tkc", "-b", 20, "-o", "short.tkc") == 0
    assert (folder / "short.tkc").read_bytes() == tokcodec.encode(photo(), 20)
    assert run("cut", "cat.tkc", "-m", 20, "-f") == 0
    assert (folder / "cat.tkc").read_bytes() == tokcodec.encode(photo(), max_bytes=20)


def test_cut_wants_a_limit(folder: Path, capsys) -> None:
    assert run("cut", "cat.tkc", "-o", "short.tkc") == 1
    assert "--max-bytes" in one_line(capsys.readouterr().err)


def test_streams_of_large_pictures_are_cut_and_told_of_when_asked_for(
    tmp_path: Path, capsys
) -> None:
    stream = tmp_path / "wide.tkc"
    picture = np.zeros((40, 50, 3), np.uint8)
    picture[:, ::7] = 200
    stream.write_bytes(tokcodec.encode(picture, 30))
    few, many = ["--max-pixels", "1999"], ["--max-pixels", "2000"]
    cut = ["cut", stream, "-b", 3, "-o", tmp_path / "cut.tkc"]
    assert run("info", stream, *few) == run(*cut, *few) == 1
    assert "max_pixels" in capsys.readouterr().err
    assert run("info", stream, *many) == run(*cut, *many) == 0
