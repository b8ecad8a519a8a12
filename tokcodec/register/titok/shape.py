"""The tensors of a TiTok or One-D-Piece checkpoint to the sizes of its networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from typing import Any

from tokcodec.arguments import short
from tokcodec.errors import DamagedModelError
from tokcodec.register.titok.maskgit import UPSAMPLING

HEAD = 64  # numbers of a head
GROUPS = 32  # of a group norm
_UNREADABLE = {
    "decoder.text_guidance_proj.weight": "it draws with the help of a text (TA-TiTok)",
    "decoder.text_guidance_positional_embedding": "it draws with the help of a text (TA-TiTok)",
}


@dataclass(frozen=True)
class ViT:
    """A transformer's sizes."""

    width: int
    layers: int
    heads: int


@dataclass(frozen=True)
class TiTokShape:
    """Sizes of all networks of a tokenizer.

    Attributes:
        side: pixels of a picture's side; patch: of a patch's, grid: patches a side.
        latents: tokens; vocabulary: rows of the codebook; code: numbers of a row.
        normalised: rows are compared by direction.
        legacy: the first models, that predict proxy codes (`maskgit`), and reshape latents.
        proxies, proxy: number of proxy codes, and numbers of each.
        channels, groups: of the pixel decoder, at full resolution.
    """

    side: int
    patch: int
    latents: int
    vocabulary: int
    code: int
    normalised: bool
    legacy: bool
    encoder: ViT
    decoder: ViT
    proxies: int = 0
    proxy: int = 0
    channels: int = 0
    groups: int = GROUPS

    @property
    def grid(self) -> int:
        return self.side // self.patch


def shape_of(
    shapes: Mapping[str, tuple[int, ...]], config: Mapping[str, Any], head: int = HEAD
) -> TiTokShape:
    """Sizes from tensors; a configuration may only confirm them, but for what no tensor tells:
    whether rows of the codebook are normalised (`use_l2_norm`; without it, as published).

    Args:
        shapes: of the checkpoint's tensors, by name.
        config: `model.vq_model` of the published configuration, or {}.
        head: numbers of a head.

    Raises:
        DamagedModelError: tensors are missing, fit no such network, or not the configuration.
    """
    for name, why in _UNREADABLE.items():
        if name in shapes:
            raise DamagedModelError(f"this TiTok cannot be read here: {why}")
    if config.get("quantize_mode", "vq") != "vq" or "quantize.embedding.weight" not in shapes:
        raise DamagedModelError(
            "this TiTok has no codebook: its tokens are continuous, or the checkpoint is partial"
        )
    legacy = "decoder.ffn.2.weight" in shapes
    patch = _size(shapes, "encoder.patch_embed.weight", 4)[3]
    grid = isqrt(_size(shapes, "encoder.positional_embedding", 2)[0])  # the class is one more
    latents = _size(shapes, "latent_tokens", 2)[0]
    vocabulary, code = _size(shapes, "quantize.embedding.weight", 2)
    encoder, decoder = (_vit(shapes, name, head) for name in ("encoder", "decoder"))
    common: dict[str, Any] = {
        "side": grid * patch, "patch": patch, "latents": latents, "vocabulary": vocabulary,
        "code": code, "normalised": bool(config.get("use_l2_norm", legacy)), "legacy": legacy,
        "encoder": encoder, "decoder": decoder,
    }  # fmt: skip
    _confirm(config, common)
    if not legacy:
        drawn = _size(shapes, "decoder.ffn.0.weight", 4)[0]
        if drawn != 3 * patch**2:
            raise DamagedModelError(f"{drawn} numbers a patch draw none of {patch} pixels a side")
        return TiTokShape(**common)
    if patch != UPSAMPLING:
        raise DamagedModelError(f"patches of {patch} pixels do not fit MaskGIT's pixel decoder")
    if "pixel_quantize.embedding.weight" not in shapes:
        raise DamagedModelError("a checkpoint of TiTok's first stage: it has no pixel decoder yet")
    proxies, proxy = _size(shapes, "pixel_quantize.embedding.weight", 2)
    channels = _size(shapes, "pixel_decoder.conv_out.weight", 4)[1]
    return TiTokShape(**common, proxies=proxies, proxy=proxy, channels=channels)


def _vit(shapes: Mapping[str, tuple[int, ...]], name: str, head: int) -> ViT:
    width = _size(shapes, f"{name}.positional_embedding", 2)[1]
    if width < head or width % head:
        raise DamagedModelError(f"the {name} has {width} channels, no multiple of {head}")
    start = f"{name}.transformer."
    layers = {k[len(start) :].split(".")[0] for k in shapes if k.startswith(start)}
    return ViT(width, len(layers), width // head)


def _size(shapes: Mapping[str, tuple[int, ...]], name: str, axes: int) -> tuple[int, ...]:
    if name not in shapes:
        raise DamagedModelError(f"a TiTok without {name}: the checkpoint is partial, or another's")
    size = shapes[name]
    if len(size) != axes or min(size) < 1:
        raise DamagedModelError(f"{name} must have {axes} axes, not the shape {size}")
    return size


def _confirm(config: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    said = {
        "num_latent_tokens": "latents", "codebook_size": "vocabulary", "token_size": "code",
        "vit_enc_patch_size": "patch", "is_legacy": "legacy",
    }  # fmt: skip
    for name, ours in said.items():
        if name in config and config[name] != found[ours]:
            wrong = short(config[name])
            raise DamagedModelError(
                f"the configuration says {name} = {wrong}, the weights {found[ours]}"
            )
