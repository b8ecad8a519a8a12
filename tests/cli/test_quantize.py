"""`tokcodec quantize`: a smaller file, or one line that says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

import tokcodec
from tokcodec.cli import main
from tokcodec.decoders import SHIPPED, best_way
from tokcodec.mx.file import load

pytest.importorskip("ml_dtypes")


def test_the_shipped_decoder_in_six_bits(
    tmp_path: Path, astronaut: np.ndarray, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / "small.safetensors"
    assert main(["quantize", "pyramid-decoder", "--format", "mxfp6", "--out", str(path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{path}: mxfp6, ")
    assert "40%" in said
    assert path.stat().st_size < 0.4 * SHIPPED.stat().st_size
    if best_way() is None:
        pytest.skip("neither torch nor ONNX Runtime is installed")
    stream, drawn = tmp_path / "a.tkc", tmp_path / "a.png"
    stream.write_bytes(tokcodec.encode(astronaut, max_bytes=300))
    assert main(["decode", str(stream), "--decoder", str(path), "-o", str(drawn)]) == 0
    assert drawn.exists()


def test_a_file_of_weights_with_some_kept(tmp_path: Path) -> None:
    given, out = tmp_path / "given.safetensors", tmp_path / "out.safetensors"
    x = np.random.default_rng(0).standard_normal((4, 64)).astype(np.float32)
    given.write_bytes(save({"first": x, "last": x.astype(np.float16)}))
    wanted = ["quantize", str(given), "--format", "mxfp4", "-o", str(out), "--keep", "la*"]
    assert main(wanted) == 0
    assert np.array_equal(load(out)["last"], x.astype(np.float16))
    assert main(wanted) == 1
    assert main([*wanted, "-f"]) == 0
    whole = given.read_bytes()
    assert main(["quantize", str(given), "--format", "mxfp4", "-o", str(given), "-f"]) == 1
    assert given.read_bytes() == whole


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pyramid-decoder", "--format", "mxfp5", "-o", "new.safetensors"], "no MX format"),
        (["pyramid-decoder", "--format", "mxfp6", "-o", "new.bin"], "ends in .safetensors"),
        (["missing.safetensors", "--format", "mxfp6", "-o", "new.safetensors"], "missing"),
        (["text.safetensors", "--format", "mxfp6", "-o", "new.safetensors"], "text.safetensors"),
        (["nan.safetensors", "--format", "mxfp6", "-o", "new.safetensors"], "NaN"),
        (["pyramid-decoder", "--format", "mxfp6", "-o", "no/new.safetensors"], "cannot write"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.safetensors").write_text("no weights at all")
    Path("nan.safetensors").write_bytes(save({"a": np.full((2, 64), np.nan, np.float32)}))
    before = sorted(tmp_path.iterdir())
    assert main(["quantize", *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith("tokcodec: ")
    assert said in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before
