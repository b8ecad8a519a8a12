"""Parity and times of register tokenizers: what is measured is what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import register
from benchmarks.parity import tokenizer_of

VECTORS = Path(__file__).parents[1] / "register" / "vectors"


def test_vectors_that_are_at_hand_are_compared(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv(register.VECTORS, str(VECTORS))
    shown = register.parity(tmp_path)
    rows = [line.split("\t") for line in (tmp_path / "parity.tsv").read_text().splitlines()[1:]]
    found = {step: float(apart) for name, step, apart in rows if name == "titok_vq"}
    assert found.pop("tokens") == 0
    assert max(found.values()) < 2e-5
    assert "| titok_vq | 0 |" in shown


def test_without_vectors_nothing_is_written(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv(register.VECTORS, raising=False)
    assert "none compared" in register.parity(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_every_part_has_its_time() -> None:
    import torch

    tokenizer = tokenizer_of(VECTORS / "titok_vq")
    tokenizer.pixel_quantize = tokenizer.pixel_decoder = torch.nn.Identity()
    ticks = iter(range(1000))
    image = torch.zeros(1, 3, 64, 64)
    took, parts = register.timed(
        lambda: tokenizer.draw(tokenizer.ids(image)), tokenizer, 2, lambda: float(next(ticks))
    )
    assert parts == {"encoder": 1.0, "codebook": 1.0, "decoder": 1.0, register.REST: took - 3}


def test_times_are_those_of_a_picture(tmp_path: Path) -> None:
    found = {
        "machine": "m", "threads": 1, "model": "titok-s128", "batch": 8, "job": "decode",
        "seconds": 4.0, "base_mb": 1.0, "peak_mb": 2.0, "tokens": 128, "raw_bits": 1536,
        "code_bytes": 193.0, "stream_bytes": 205.0, "parts": {"decoder": 3.0, register.REST: 1.0},
    }  # fmt: skip
    shown = register.times(tmp_path, "kodak", [found])
    assert "| titok-s128 | 8 | decode | 0.5 | 2 | 128 | 192 | 193 | 205 |" in shown
    assert "| decoder | 0.75 |" in shown
    assert (tmp_path / "times-kodak.tsv").read_text().splitlines()[1].split("\t")[5] == "4"


@pytest.mark.parametrize("model", register.MODELS)
def test_the_models_have_the_published_sizes(model: str) -> None:
    import torch

    with torch.device("meta"):
        tokenizer = register.random_codec(model, 1).model.tokenizer
    count = sum(p.numel() for p in tokenizer.parameters()) / 1e6
    assert count == pytest.approx({"titok-s128": 83.7, "one-d-piece-s": 83.9}[model], abs=0.06)
