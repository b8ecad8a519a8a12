"""TiTok and One-D-Piece give what their reference implementations give, step by step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from benchmarks.parity import NAMES, differences, tokenizer_of
from tests.register.vectors import vector
from tokcodec.register.checkpoints import checkpoint
from tokcodec.register.checkpoints.sources import find
from tokcodec.register.titok.shape import shape_of

# absolute tolerances: of what comes before the codes, of logits, and of what is drawn after them
EXACT = dict.fromkeys(("before", "logits", "drawn"), 2e-5)
PROXY = {"before": 2e-5, "logits": 1e-4, "drawn": 2e-4}
TOLERANCES = {"titok_legacy": PROXY, "titok_vq": EXACT, "onedpiece": PROXY}


def stage(name: str) -> str:
    """Which tolerance is that of a stored tensor."""
    if name.startswith(("recon", "pixel_latents")):
        return "drawn"
    return "logits" if name == "decoder_out" else "before"


@pytest.mark.parametrize("name", NAMES)
def test_every_step_is_that_of_the_reference(name: str) -> None:
    found = dict(differences(vector(name)))
    assert found.pop("tokens") == 0
    assert len(found) >= 9
    beyond = {k: v for k, v in found.items() if not v <= TOLERANCES[name][stage(k)]}
    assert beyond == {}


@pytest.fixture(scope="module")
def folder() -> Path:
    return vector("titok_vq")


def test_a_prefix_is_drawn_without_the_rest(folder: Path) -> None:
    tokenizer = tokenizer_of(folder)
    ids = tokenizer.ids(load_file(folder / "io.safetensors")["image"])
    whole, part = tokenizer.pixels(ids), tokenizer.pixels(ids[:, :5])
    assert part.shape == whole.shape == (2, 3, 64, 64)
    assert not torch.allclose(part, whole, atol=0.05)


def test_bfloat16_keeps_the_codebook(folder: Path) -> None:
    tokenizer = tokenizer_of(folder).to(torch.bfloat16)
    assert tokenizer.quantize.embedding.weight.dtype == torch.float32
    assert tokenizer.encoder.conv_out.weight.dtype == torch.bfloat16
    io = load_file(folder / "io.safetensors")
    drawn = tokenizer.pixels(io["tokens"][:, 0])
    assert drawn.dtype == torch.float32
    torch.testing.assert_close(drawn, io["recon_clamped"], rtol=0, atol=0.1)


def test_the_configuration_is_confirmed_by_the_weights(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())["model"]["vq_model"]
    shape = shape_of(checkpoint.read(find(folder)).shapes, config, head=32)
    assert (shape.latents, shape.vocabulary, shape.side) == (12, 128, 64)
    assert (shape.legacy, shape.normalised) == (False, False)
