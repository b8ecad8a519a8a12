"""`tokcodec export`: a decoder's file, or the shipped decoder, to ONNX."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.decoders.small import as_file, random_decoder
from tokcodec import decoders
from tokcodec.cli import main

pytest.importorskip("onnx")

from tokcodec.decoders.onnx_file import to_bytes


def test_the_command_exports_a_decoder(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    source, out = tmp_path / "mine.safetensors", tmp_path / "mine.onnx"
    kept = random_decoder()
    as_file(kept, source)
    command = ["export", "decoder", "--decoder", str(source), "--onnx", str(out)]
    assert main(command) == 0
    assert out.read_bytes() == to_bytes(kept)
    assert main(command) == 1
    assert "exists already" in capsys.readouterr().err
    assert main([*command, "--force"]) == 0
    out.unlink()
    source.write_bytes(b"nothing")
    assert main(command) == 1
    assert "no decoder" in capsys.readouterr().err
    assert not out.exists()


def test_the_shipped_decoder_is_exported_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    out, kept = tmp_path / "mine.onnx", random_decoder()
    monkeypatch.setattr(decoders, "SHIPPED", tmp_path / "none.safetensors")
    assert main(["export", "decoder", "--onnx", str(out)]) == 1
    assert "--decoder" in capsys.readouterr().err
    as_file(kept, decoders.SHIPPED)
    assert main(["export", "decoder", "--onnx", str(out)]) == 0
    assert out.read_bytes() == to_bytes(kept)
