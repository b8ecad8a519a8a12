"""One prior against another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.__main__ import main


def test_a_model_saves_nothing_against_itself(
    tmp_path: Path, astronaut: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.fromarray(astronaut[:96, :96]).save(folder / "a.png")
    given = ["prior", "--images", str(folder), "--model", "pyramid-3", "--bytes", "32,64"]
    assert main([*given, "--no-times", "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert "| all | 0 |" in shown
    rows = (tmp_path / "out" / "pyramid-3-pictures.tsv").read_text().splitlines()
    assert rows[0].split("\t") == ["image", "tokens", "bytes_before", "bytes"]
    for row, limit in zip(rows[1:], (32, 64), strict=True):
        _, tokens, before, after = row.split("\t")
        assert int(tokens) > 0
        assert before == after
        assert int(before) <= limit
