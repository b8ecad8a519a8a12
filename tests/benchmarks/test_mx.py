"""The table of MX formats: from a decoder to rows, sizes and differences."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.__main__ import main

pytest.importorskip("ml_dtypes")
pytest.importorskip("torch")


def test_rows_and_table(
    tmp_path: Path,
    astronaut: np.ndarray,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("benchmarks.mx.METRICS", {"psnr": "PSNR"})
    monkeypatch.setattr("benchmarks.mx.REALISMS", (0.0,))
    images, out = tmp_path / "images", tmp_path / "out"
    images.mkdir()
    Image.fromarray(astronaut).save(images / "a.png")
    arguments = ["mx", "--images", str(images), "--formats", "mxfp6", "mxfp4", "--bytes", "300"]
    assert main([*arguments, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "| mxfp4 | 4.25 |" in shown
    assert "PSNR, 300" in shown
    lines = (out / "pyramid-decoder.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines]
    assert [row[1] for row in rows[1:]] == ["float16", "mxfp6", "mxfp4"]
    close, far = float(rows[2][-1]), float(rows[3][-1])
    assert close > far > 30
