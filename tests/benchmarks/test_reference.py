"""Sequences of similar pictures, as the bench measures them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmarks import reference
from benchmarks.__main__ import main


def test_the_sequence_made_here_is_always_the_same() -> None:
    one, two = reference.made(64), reference.made(64)
    assert len(one) == reference.FRAMES
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0], one[1])


def test_a_scene_that_stays_costs_less_with_every_reference(
    astronaut: np.ndarray, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.setattr(reference, "START", 2)
    for i in range(3):
        Image.fromarray(astronaut).save(tmp_path / f"{i}.png")
    out = tmp_path / "out"
    assert (
        main(["reference", str(tmp_path), "--psnr", "26", "--side", "48", "--out", str(out)]) == 0
    )
    (path,) = out.glob("*.tsv")
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    assert lines[0] == list(reference.COLUMNS)
    sizes = {row[reference.AT["mode"]]: int(row[reference.AT["bytes"]]) for row in lines[1:]}
    assert list(sizes) == list(reference.MODES)
    assert all(sizes[mode] < sizes["alone"] / 2 for mode in reference.MODES[1:])
    assert "%)" in capsys.readouterr().out


def test_in_one_packet_a_reference_is_worth_decibels(
    astronaut: np.ndarray, tmp_path, capsys
) -> None:
    for i in range(6):
        Image.fromarray(astronaut).save(tmp_path / f"{i}.png")
    out = tmp_path / "out"
    limits = ["--bytes", "51", "--key", "300", "--side", "96"]
    assert main(["reference", str(tmp_path), *limits, "--out", str(out)]) == 0
    (path,) = out.glob("*-bytes.tsv")
    head, *lines = (line.split("\t") for line in path.read_text().splitlines())
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    assert all(int(row["bytes"]) <= 51 for row in rows)
    assert main(["reference", str(tmp_path), *limits, "--psnr", "26", "--out", str(out)]) == 1
    assert main(["reference", str(tmp_path), "--bytes", "51", "--key", "0"]) == 1
    alone, given = (
        np.mean([float(r["linear_db"]) for r in rows if r["key"] == k]) for k in ("0", "300")
    )
    assert given > alone + 2
    assert "first in 300 bytes" in capsys.readouterr().out


def test_folders_that_are_no_sequence(tmp_path, capsys) -> None:
    for i in range(7):
        Image.new("RGB", (20 + i % 2, 20)).save(tmp_path / f"{i}.png")
    assert main(["reference", str(tmp_path)]) == 1
    assert "one size" in capsys.readouterr().err


@pytest.mark.parametrize("count", [1, 5])
def test_folders_that_hold_too_little(tmp_path, capsys, count: int) -> None:
    for i in range(count):
        Image.new("RGB", (20, 20)).save(tmp_path / f"{i}.png")
    assert main(["reference", str(tmp_path)]) == 1
    assert "more than 5" in capsys.readouterr().err
