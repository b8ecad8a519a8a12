"""FlexTok's published configuration, read as data, to the sizes of its networks.

The configuration names classes; nothing that it names is ever imported or called.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from tokcodec.arguments import short
from tokcodec.errors import DamagedModelError
from tokcodec.register.flextok.vae import VAEShape

MAX_SIZE = 1 << 14  # of any one size: the published ones stay below 1,800
MAX_DEPTH = 128
MAX_TEXT = 1 << 20  # characters of a part of the configuration written as text
# What names begin with, in the configuration and among the tensors.
ENCODER, DECODER = "encoder.module_dict.enc_", "decoder.module_dict.dec_"
_REQUIRED = object()


@dataclass(frozen=True)
class Trunk:
    """A transformer: its width, its number of blocks, numbers in a head, and the most patches
    (rows, columns) that it has places for.
    """

    width: int
    depth: int
    head: int
    table: tuple[int, int]


@dataclass(frozen=True)
class FlexTokShape:
    """All that the networks and their use depend on, but the weights.

    Attributes:
        patch: latents a side of a patch.
        scaling: what latents of the autoencoder are multiplied by.
        longest: the time that would be 1000 in the waves that tell it.
        waves: how many numbers tell the time.
    """

    vae: VAEShape
    encoder: Trunk
    decoder: Trunk
    levels: tuple[int, ...]
    length: int
    patch: int
    scaling: float
    longest: float
    waves: int

    @property
    def side(self) -> int:
        """Most pixels a side for which there are places."""
        return min(*self.encoder.table, *self.decoder.table) * self.step

    @property
    def step(self) -> int:
        """Pixels a side of a patch."""
        return self.patch * self.vae.factor

    @property
    def settings(self) -> dict[str, Any]:
        """What gives tokens their meaning and is in no tensor."""
        return {
            "groups": self.vae.groups,
            "heads": [self.encoder.head, self.decoder.head],
            "longest": self.longest,
            "scaling": self.scaling,
        }


def shape_of(config: Mapping[str, Any]) -> FlexTokShape:
    """The sizes that a configuration tells.

    Args:
        config: as in config.json, or as in the metadata of the safetensors file, where each part is
            a Python dictionary written as text.

    Raises:
        DamagedModelError: it lacks something, or has a value that makes no sense; the message says
            which.
    """
    found = _Config(config)
    latent = found.whole(f"{ENCODER}patch_emb.channels_in")
    vae = VAEShape(
        latent,
        found.wholes("vae.block_out_channels", VAEShape.channels),
        found.whole("vae.norm_num_groups", VAEShape.groups),
    )
    if any(width % vae.groups for width in vae.channels):
        raise DamagedModelError(
            f"the configuration asks for {vae.groups} groups of {vae.channels} channels"
        )
    patches = {found.wholes(f"{e}patch_emb.patch_sizes") for e in (ENCODER, f"{DECODER}noise_")}
    if len(patches) != 1 or len(set(*patches)) != 1:
        raise DamagedModelError("the configuration has no single size of square patches")
    levels = found.wholes("regularizer.levels")
    if min(levels) < 2:
        raise DamagedModelError(f"regularizer.levels are 2 or more, not {levels}")
    return FlexTokShape(
        vae,
        found.trunk(ENCODER, "posemb_module"),
        found.trunk(DECODER, "patches_posemb_module"),
        levels=levels,
        length=found.whole(f"{ENCODER}register_module.n_max"),
        patch=patches.pop()[0],
        scaling=found.number("vae.scaling_factor"),
        longest=found.number(f"{DECODER}time_embedder.max_timestep", 1000.0),
        waves=found.whole(f"{DECODER}time_embedder.frequency_embedding_size", 256),
    )


class _Config:
    """A configuration whose entries are asked for by their path."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        parts = ("vae", "encoder", "decoder", "regularizer")
        self.parts = {name: _read(config[name], name) for name in parts if name in config}

    def get(self, path: str, otherwise: Any = _REQUIRED) -> Any:
        entry: Any = self.parts
        for name in path.split("."):
            entry = entry.get(name, _REQUIRED) if isinstance(entry, Mapping) else _REQUIRED
        if entry is _REQUIRED:
            entry = otherwise
        if entry is _REQUIRED:
            raise DamagedModelError(f"the configuration of a FlexTok has no {path}")
        return entry

    def whole(self, path: str, otherwise: Any = _REQUIRED, most: int = MAX_SIZE) -> int:
        found = self.get(path, otherwise)
        if type(found) is not int or not 0 < found <= most:
            raise DamagedModelError(f"{path} is a whole number in 1..{most}, not {short(found)}")
        return found

    def wholes(self, path: str, otherwise: Any = _REQUIRED) -> tuple[int, ...]:
        found = self.get(path, otherwise)
        if (
            not isinstance(found, list | tuple)
            or not 0 < len(found) <= 16
            or not all(type(n) is int and 0 < n <= MAX_SIZE for n in found)
        ):
            raise DamagedModelError(f"{path} is a list of sizes, not {short(found)}")
        return tuple(found)

    def number(self, path: str, otherwise: Any = _REQUIRED) -> float:
        found = self.get(path, otherwise)
        if type(found) not in (int, float) or not isfinite(found) or found <= 0:
            raise DamagedModelError(f"{path} is a number above 0, not {short(found)}")
        return float(found)

    def trunk(self, part: str, places: str) -> Trunk:
        width = self.whole(f"{part}transformer.dim")
        head = self.whole(f"{part}transformer.head_dim", 64)
        table = self.wholes(f"{part}{places}.max_sizes")
        if width % head or len(table) != 2:
            raise DamagedModelError(
                f"the configuration has heads of {head} in a width of {width}, places {table}"
            )
        depth = self.whole(f"{part}transformer.depth", most=MAX_DEPTH)
        return Trunk(width, depth, head, (table[0], table[1]))


def _read(part: Any, name: str) -> Any:
    if not isinstance(part, str):
        return part
    try:
        if len(part) > MAX_TEXT:
            raise ValueError(f"it has {len(part)} characters")
        return ast.literal_eval(part)
    except (ValueError, SyntaxError, MemoryError, RecursionError) as e:
        raise DamagedModelError(f"the configuration of {name} is no plain data: {e}") from e
