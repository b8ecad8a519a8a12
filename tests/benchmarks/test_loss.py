"""The benchmark of lossy links, on two small pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import loss
from benchmarks.__main__ import main
from tokcodec import link


def test_run(tmp_path: Path, astronaut: np.ndarray, photograph, capsys) -> None:
    folder = tmp_path / "two"
    folder.mkdir()
    Image.fromarray(astronaut).save(folder / "a.png")
    Image.fromarray(photograph("coffee", 64, 48)).save(folder / "b.png")
    assert main(["loss", "--images", str(folder), "--packets", "4", "--losses", "0", "0.4",
                 "--trials", "3", "--out", str(tmp_path)]) == 0  # fmt: skip
    lines = [line.split("\t") for line in (tmp_path / "two.tsv").read_text().splitlines()]
    assert tuple(lines[0]) == loss.COLUMNS
    assert len(lines) == 1 + 2 * 6 * 3 * 2  # pictures, ways, kinds, losses
    rows = [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    clear = [row for row in rows if row["loss"] == "0"]
    assert all(float(row["shown"]) == 1 for row in clear if row["way"].startswith("tokcodec"))
    shown = capsys.readouterr().out
    assert "2 pictures, 3 trials, 4 packets of at most 51 bytes" in shown
    assert "| bursts of 3 | 0% lost | 40% lost |" in shown
    assert "| bursts of 3, 4 pictures by turns | 0% lost | 40% lost |" in shown


def test_all_or_nothing(astronaut: np.ndarray) -> None:
    views = loss.Views(Image.fromarray(astronaut))
    files = [None, 20.0, 22.0, 23.0]
    there, gone = np.ones(4, bool), np.array([True, False, True, True])
    plain = loss.theirs("1", files, views, "none", 4, link.independent(0))
    assert plain.shown(there) == (23.0, True)
    assert plain.shown(gone) == (views.nothing, False)
    safe = loss.theirs("1", files, views, "equal", 4, link.independent(0.2))
    assert safe.shown(gone)[1]
    assert safe.shown(there)[0] == pytest.approx(safe.shown(gone)[0])
