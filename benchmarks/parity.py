"""Parity vectors of TiTok and One-D-Piece in, how far our steps are from the reference's out.

A vector is a folder with a tiny model (config.json, model.safetensors) and what the reference
implementation made of two pictures, step by step (io.safetensors).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from tokcodec.register.checkpoints import checkpoint
from tokcodec.register.checkpoints.sources import find
from tokcodec.register.titok.onedpiece import OneDPiece
from tokcodec.register.titok.shape import shape_of
from tokcodec.register.titok.tokenizer import TiTok

NAMES = ("titok_legacy", "titok_vq", "onedpiece")
TRAINING = "recon_forward"  # of a pass with gradients, which draws from other rounding
HEAD, GROUPS = 32, 8  # numbers of a head and groups of a norm, where real models have 64 and 32
KEPT = (1, 5, 16)


def tokenizer_of(folder: Path) -> TiTok:
    """The tiny model of a vector."""
    found = checkpoint.read(find(folder))
    model = found.config["model"]
    shape = replace(shape_of(found.shapes, model["vq_model"], HEAD), groups=GROUPS)
    with torch.device("meta"):
        tokenizer = (OneDPiece if "type" in model else TiTok)(shape)
    found.fill(tokenizer)
    return tokenizer


def steps(tokenizer: TiTok, image: Tensor) -> dict[str, Tensor]:
    """All that a vector holds, by its names and in its shapes."""
    seen: dict[str, Tensor] = {}
    watched = {
        "enc_ln_pre": tokenizer.encoder.ln_pre, "enc_ln_post": tokenizer.encoder.ln_post,
        "encoder": tokenizer.encoder,
        "dec_ln_pre": tokenizer.decoder.ln_pre, "dec_ln_post": tokenizer.decoder.ln_post,
        "decoder_out": tokenizer.decoder,
    }  # fmt: skip
    if tokenizer.shape.legacy:
        watched["pixel_latents"] = tokenizer.pixel_quantize
    hooks = [
        module.register_forward_hook(lambda m, i, out, name=name: seen.__setitem__(name, out))
        for name, module in watched.items()
    ]
    ids = tokenizer.ids(image)
    seen["tokens"], seen["recon"] = ids[:, None], tokenizer.draw(ids)
    for hook in hooks:
        hook.remove()
    seen["latents"] = seen.pop("encoder").mT[:, :, None]
    seen["z_quantized"] = tokenizer.quantize.rows(ids).mT[:, :, None]
    seen["recon_clamped"] = tokenizer.pixels(ids)
    for k in KEPT:
        seen[f"recon_keep{k}"] = tokenizer.draw(ids[:, :k])
    return seen


def differences(folder: Path) -> Iterator[tuple[str, float]]:
    """Each stored tensor's name, and the largest absolute difference of ours (tokens: how many are
    others).
    """
    expected = load_file(folder / "io.safetensors")
    image = expected.pop("image")
    expected.pop(TRAINING, None)
    found = steps(tokenizer_of(folder), image)
    for name, value in expected.items():
        apart = (found[name] - value).abs()
        yield name, float((apart > 0).sum() if name == "tokens" else apart.max())
