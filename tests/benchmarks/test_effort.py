"""Rows of the effort benchmark: measured once, compared with effort 0."""

from __future__ import annotations

import pytest
from PIL import Image

from benchmarks.__main__ import main


@pytest.fixture
def folder(tmp_path, photograph):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.fromarray(photograph("coffee", 40, 30)).save(pictures / "coffee.png")
    return pictures


def test_rows_are_measured_once_and_gains_shown(folder, tmp_path, capsys):
    command = ["effort", "--images", str(folder), "--bytes", "60,100", "--out", str(tmp_path)]
    assert main([*command, "--efforts", "0"]) == 0
    written = (tmp_path / "pictures.tsv").read_text()
    assert main([*command, "--efforts", "0,2"]) == 0
    lines = (tmp_path / "pictures.tsv").read_text().splitlines()
    assert len(lines) == 5
    assert set(written.splitlines()) < set(lines)
    shown = capsys.readouterr().out
    assert "| 0 | +0.00 | +0.00 |" in shown
    assert "| 2 | +" in shown


def test_effort_through_the_network_has_rows_apart(folder, tmp_path, capsys):
    pytest.importorskip("torch")
    command = ["effort", "--images", str(folder), "--bytes", "60", "--out", str(tmp_path)]
    assert main([*command, "--efforts", "0,1", "--decoder", "neural"]) == 0
    lines = (tmp_path / "pictures@neural.tsv").read_text().splitlines()
    assert len(lines) == 3
    assert all(float(line.split("\t")[5]) > 10 for line in lines[1:])
    assert not (tmp_path / "pictures.tsv").exists()
    assert "| 1 | " in capsys.readouterr().out


def test_a_file_of_something_else_is_refused(folder, tmp_path, capsys):
    (tmp_path / "pictures.tsv").write_text("a\tb\n")
    assert main(["effort", "--images", str(folder), "--out", str(tmp_path)]) == 1
    assert "no rows" in capsys.readouterr().err
