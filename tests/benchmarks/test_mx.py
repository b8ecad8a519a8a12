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
    lines = (out / "pyramid-decoder-images.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines]
    assert [row[1] for row in rows[1:]] == ["float16", "mxfp6", "mxfp4"]
    close, far = float(rows[2][-1]), float(rows[3][-1])
    assert close > far > 30


def test_a_decoder_that_knows_only_realism_0(
    tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tokcodec.decoders.network import Network, Shape
    from tokcodec.decoders.torch_file import write

    monkeypatch.setattr("benchmarks.mx.METRICS", {"psnr": "PSNR"})
    write(tmp_path / "mine.safetensors", Network(Shape((32, 32), (1, 1), 32)), {})
    (tmp_path / "images").mkdir()
    Image.fromarray(astronaut).save(tmp_path / "images" / "a.png")
    command = ["mx", "--images", str(tmp_path / "images"), "--formats", "mxfp6", "--bytes", "300"]
    command += ["--decoder", str(tmp_path / "mine.safetensors"), "--out", str(tmp_path)]
    assert main(command) == 0
    lines = (tmp_path / "mine-images.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    assert {row[5] for row in rows} == {"0"}


def test_a_register_tokenizer(
    tmp_path: Path, astronaut: np.ndarray, capsys: pytest.CaptureFixture
) -> None:
    from tests.register.own.tiny import taught
    from tokcodec.register.own.tokenizer import write

    images, out, path = tmp_path / "images", tmp_path / "out", tmp_path / "tiny.safetensors"
    images.mkdir()
    Image.fromarray(astronaut).save(images / "a.png")
    write(path, taught(), {})
    arguments = ["mx", "--tokenizer", str(path), "--images", str(images)]
    assert main([*arguments, "--formats", "mxint8", "mxfp4", "--out", str(out)]) == 0
    assert "PSNR, both, 24" in capsys.readouterr().out
    rows = [line.split("\t") for line in (out / "tiny-images.tsv").read_text().splitlines()][1:]
    same = {form: float(share) for _, form, _, tokens, share, *_ in rows if tokens == "24"}
    assert same["float16"] == 1 >= same["mxint8"] > same["mxfp4"] > 0
    for _, form, *_, receiver, both in rows:
        assert form != "float16" or receiver == both
