"""A checkpoint to the tokenizer that it holds, whatever its family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from tokcodec.arguments import short
from tokcodec.errors import DamagedModelError, UnknownModelError
from tokcodec.register.checkpoints.checkpoint import Checkpoint
from tokcodec.register.flextok.tokenizer import flextok_from
from tokcodec.register.model import OWN
from tokcodec.register.own.shape import KIND
from tokcodec.register.own.tokenizer import tokenizer_from
from tokcodec.register.titok.onedpiece import OneDPiece
from tokcodec.register.titok.shape import TiTokShape, shape_of
from tokcodec.register.titok.tokenizer import TiTok
from tokcodec.register.tokenizer import Tokenizer

MAX_TITOK_TOKENS = 128  # tokens of published TiTok models with proxy codes; One-D-Piece has 256
_UNUSED = ("quantize.embed_prob",)  # statistics of training


@dataclass(frozen=True)
class Built:
    """A tokenizer, ready on the CPU in float32.

    Attributes:
        family: titok, one-d-piece, flextok or register.
        tokenizer: the network.
        settings: what gives tokens their meaning and is in no tensor; part of the identity.
    """

    family: str
    tokenizer: Tokenizer
    settings: dict[str, Any] = field(default_factory=dict)


def build(checkpoint: Checkpoint) -> Built:
    """The tokenizer that a checkpoint announces by the names of its tensors.

    Raises:
        UnknownModelError: it is of no family known here.
        DamagedModelError: it is partial, or tensors are foreign.
    """
    names = checkpoint.shapes
    if KIND in checkpoint.metadata:
        return Built(OWN, tokenizer_from(checkpoint))
    if any(k.startswith("encoder.module_dict.") for k in names):
        return _flextok(checkpoint)
    if any(k.startswith(("encoder.transformer.", "encoder.patch_embed.")) for k in names):
        return _titok(checkpoint)
    raise UnknownModelError(
        f"{checkpoint.path.name} is no TiTok, One-D-Piece or FlexTok: it begins with "
        f"{', '.join(sorted(names)[:3]) or 'nothing'}"
    )


def _flextok(checkpoint: Checkpoint) -> Built:
    inside = "encoder" in checkpoint.metadata  # where its authors' own tools write it
    config = checkpoint.metadata if inside else checkpoint.config
    tokenizer = flextok_from(config, checkpoint.tensors(checkpoint.shapes))
    return Built("flextok", tokenizer, tokenizer.shape.settings)


def _titok(checkpoint: Checkpoint) -> Built:
    model = _table(checkpoint.config, "model")
    settings = _table(model, "vq_model")
    shape = shape_of(checkpoint.shapes, settings)
    family = _family(str(model.get("type", "")), settings, shape)
    with torch.device("meta"):
        tokenizer = (OneDPiece if family == "one-d-piece" else TiTok)(shape)
    checkpoint.fill(tokenizer, ignored=_UNUSED)
    return Built(family, tokenizer, {"normalised": shape.normalised})


def _family(kind: str, settings: Mapping[str, Any], shape: TiTokShape) -> str:
    """Which of the two: the configuration says it; without one the number of tokens does."""
    if kind == "one_d_piece" or settings.get("strict_length_assertion") is False:
        return "one-d-piece"
    if kind not in ("", "titok"):
        raise UnknownModelError(
            f"the configuration says it is a {short(kind)}, unknown to tokcodec"
        )
    longer = shape.legacy and shape.latents > MAX_TITOK_TOKENS
    return "one-d-piece" if longer and not settings else "titok"


def _table(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = config.get(name) or {}
    if not isinstance(found, dict):
        raise DamagedModelError(f"the configuration's {name} is no table, but {short(found)}")
    return found
