"""Rows of the effort benchmark: measured once, compared with effort 0."""

from __future__ import annotations

import pytest
from PIL import Image

import tokcodec
from benchmarks.__main__ import main
from tokcodec import weights


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


def test_rows_of_another_version_are_measured_again(folder, tmp_path):
    command = ["effort", "--images", str(folder), "--bytes", "60", "--out", str(tmp_path)]
    assert main([*command, "--efforts", "0,1"]) == 0
    path = tmp_path / "pictures.tsv"
    written = path.read_text()
    version = tokcodec.__version__
    assert written.count(f"tokcodec {version}, model ") == 2
    path.write_text(written.replace(f"tokcodec {version},", "tokcodec 0.0.1,"))
    assert main([*command, "--efforts", "0"]) == 0
    assert len(path.read_text().splitlines()) == 2
    path.write_text(written.replace("coffee\t60\t1\t", "coffee\t60\t1\tanother "))
    assert main([*command, "--efforts", "0"]) == 0
    assert "another" not in path.read_text()


def test_rows_of_a_file_are_named_after_it(folder, tmp_path):
    path = tmp_path / "run" / "own.safetensors"
    path.parent.mkdir()
    path.write_bytes(weights.path("pyramid.safetensors").read_bytes())
    command = ["effort", "--images", str(folder), "--bytes", "60", "--out", str(tmp_path / "rows")]
    assert main([*command, "--efforts", "0", "--model", str(path)]) == 0
    assert [p.name for p in (tmp_path / "rows").rglob("*.tsv")] == ["pictures@own.tsv"]
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_what_is_there_can_be_measured_again(folder, tmp_path):
    command = ["effort", "--images", str(folder), "--bytes", "60", "--out", str(tmp_path)]
    assert main([*command, "--efforts", "0,1"]) == 0
    path = tmp_path / "pictures.tsv"
    lines = path.read_text().splitlines(keepends=True)
    wrong = lines[2].rsplit("\t", 1)[0] + "\t99\n"
    path.write_text("".join([*lines[:2], wrong]))
    assert main([*command, "--efforts", "1"]) == 0
    assert path.read_text().endswith("\t99\n")
    assert main([*command, "--efforts", "1", "--again"]) == 0
    assert not path.read_text().endswith("\t99\n")


def test_effort_through_the_network_has_rows_apart(folder, tmp_path, capsys):
    pytest.importorskip("torch")
    command = ["effort", "--images", str(folder), "--bytes", "60", "--out", str(tmp_path)]
    assert main([*command, "--efforts", "0,1", "--decoder", "neural"]) == 0
    lines = (tmp_path / "pictures@neural.tsv").read_text().splitlines()
    assert len(lines) == 3
    assert all(float(line.split("\t")[6]) > 10 for line in lines[1:])
    assert not (tmp_path / "pictures.tsv").exists()
    assert "| 1 | " in capsys.readouterr().out


def test_rows_are_not_taken_for_those_of_another_folder(folder, tmp_path, photograph, capsys):
    command = ["effort", "--bytes", "60", "--out", str(tmp_path), "--efforts", "0", "--images"]
    assert main([*command, str(folder)]) == 0
    written = (tmp_path / "pictures.tsv").read_bytes()
    other = tmp_path / "elsewhere" / "pictures"
    other.mkdir(parents=True)
    Image.fromarray(photograph("chelsea", 40, 30)).save(other / "coffee.png")
    assert main([*command, str(other)]) == 1
    assert "another coffee.png" in capsys.readouterr().err
    assert (tmp_path / "pictures.tsv").read_bytes() == written
    other.rename(tmp_path / "others")  # rows of its own, though in the same folder
    assert main([*command, str(tmp_path / "others")]) == 0
    assert (tmp_path / "others.tsv").exists()


def test_a_file_of_something_else_is_refused(folder, tmp_path, capsys):
    (tmp_path / "pictures.tsv").write_text("a\tb\n")
    assert main(["effort", "--images", str(folder), "--out", str(tmp_path)]) == 1
    assert "no rows" in capsys.readouterr().err
