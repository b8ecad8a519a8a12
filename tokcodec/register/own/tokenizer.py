"""A register tokenizer of one's own: a square picture to an ordered list of tokens, and any first
few of them to a picture.

A causal encoder (a token does not depend on those after it, as in FlexTok: Bachmann et al., ICML
2025), finite scalar quantisation, and a transformer that draws all patches at once, as in TiTok (Yu
et al., NeurIPS 2024). Both networks begin by adding nothing to a linear codec (`own.skip`).
`tokcodec train register` trains it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor, nn

from tokcodec.errors import ArgumentError, TokensError
from tokcodec.files import write_atomically
from tokcodec.register.checkpoints.checkpoint import Checkpoint
from tokcodec.register.fsq import FSQ
from tokcodec.register.layers import Block, Patches, norm, visible
from tokcodec.register.own.shape import CARD, KIND, RegisterShape
from tokcodec.register.own.skip import Skip, to_cosines, to_pixels
from tokcodec.tensors import ordered

SPREAD = 0.3  # of places and registers at first


class Encoder(nn.Module):
    """Pixels to what is added to the cosines before rounding."""

    def __init__(self, shape: RegisterShape) -> None:
        super().__init__()
        self.patches = _patches(shape)
        self.registers = nn.Parameter(_drawn(shape.tokens, shape.width))
        self.blocks = nn.ModuleList(Block(shape.width, shape.head) for _ in range(shape.encoder))
        self.out = _nothing(shape.width, len(shape.levels))

    def forward(self, pixels: Tensor) -> Tensor:
        """(B, 3, S, S) around 0 to (B, N, D)."""
        patches = self.patches(pixels.to(self.registers.dtype))
        count = patches.shape[1]
        x = torch.cat([patches, self.registers.expand(len(patches), -1, -1)], 1)
        seen = visible(count, len(self.registers), x.device)
        for block in self.blocks:
            x = block(x, seen)
        return self.out(norm(x[:, count:]))


class Decoder(nn.Module):
    """Values of the first tokens' digits, and the linear picture, to what is added to it.

    Each patch reaches half a patch into those around it and fades there, so that no seam shows.
    """

    def __init__(self, shape: RegisterShape) -> None:
        super().__init__()
        self.patch = shape.patch
        self.patches = _patches(shape)
        self.embed = nn.Linear(len(shape.levels), shape.width)
        self.places = nn.Parameter(_drawn(shape.tokens, shape.width))
        self.blocks = nn.ModuleList(Block(shape.width, shape.head) for _ in range(shape.decoder))
        self.out = _nothing(shape.width, 3 * (2 * shape.patch) ** 2)

    def forward(self, values: Tensor, linear: Tensor) -> Tensor:
        """(B, k, D) and (B, 3, S, S) around 0 to (B, 3, S, S); dropped tokens are just absent."""
        dtype = self.places.dtype
        patches = self.patches(linear.to(dtype))
        tokens = self.embed(values.to(dtype)) + self.places[: values.shape[1]]
        x = torch.cat([patches, tokens], 1)
        for block in self.blocks:
            x = block(x, None)
        return self._joined(self.out(norm(x[:, : patches.shape[1]])), linear.shape[-1])

    def _joined(self, patches: Tensor, side: int) -> Tensor:
        """Patches of twice the size, each by colour, row, column, faded into one another."""
        window, whole = (torch.from_numpy(x).to(patches) for x in fading(self.patch, side))
        parts = patches.mT.unflatten(1, (3, -1)) * window.view(1, 1, -1, 1)
        # the square with half a patch around it
        joined = F.fold(parts.flatten(1, 2), side + self.patch, 2 * self.patch, stride=self.patch)
        inside = slice(self.patch // 2, self.patch // 2 + side)
        return (joined / whole)[..., inside, inside]


@lru_cache(maxsize=8)
def fading(patch: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights of a patch of twice the size, falling from its middle to nothing, float32 (2 patch, 2
    patch), and what those of all patches add up to, (side + patch, side + patch).
    """
    slope = (np.arange(2 * patch, dtype=np.float32) + 0.5) / patch
    hat = np.minimum(slope, 2 - slope)
    sums = np.zeros(side + patch, np.float32)
    for first in range(0, side, patch):
        sums[first : first + 2 * patch] += hat
    return np.outer(hat, hat), np.outer(sums, sums)


class RegisterTokenizer(nn.Module):
    """The whole tokenizer; see `Tokenizer` for the attributes.

    Args:
        shape: sizes; its slots say what the digits begin with.

    Raises:
        ArgumentError: there are no slots.
    """

    shortest = 1

    def __init__(self, shape: RegisterShape) -> None:
        super().__init__()
        if not shape.slots:
            raise ArgumentError("a register tokenizer needs a slot for every digit")
        self.shape, self.fsq = shape, FSQ(shape.levels)
        self.side, self.length, self.levels = shape.side, shape.tokens, shape.levels
        self.vocabulary = self.fsq.vocabulary
        self.skip = Skip(shape.slots, shape.side)
        self.encoder, self.decoder = Encoder(shape), Decoder(shape)

    @torch.inference_mode()
    def ids(self, pixels: Tensor) -> Tensor:
        """Float (B, 3, side, side) in 0..1 to int64 (B, length)."""
        return self.fsq.ids(self.fsq.digits(self.latents(pixels)))

    @torch.inference_mode()
    def pixels(self, ids: Tensor, **options: Any) -> Tensor:
        """Int64 (B, k), 1 <= k <= length, to float32 (B, 3, side, side) in 0..1.

        Raises:
            TokensError: ids outside the vocabulary, none of them, or too many.
            ArgumentError: an option was given; this family has none.
        """
        if options:
            raise ArgumentError(f"this tokenizer has no option {', '.join(options)} for decoding")
        if ids.ndim != 2 or not 1 <= ids.shape[1] <= self.length:
            raise TokensError(f"a picture has 1 to {self.length} tokens, not {tuple(ids.shape)}")
        return self.draw(self.fsq.values(ids)).clamp(0, 1)

    def latents(self, pixels: Tensor) -> Tensor:
        """Pixels in 0..1 to what digits are rounded from, float32 (B, length, D)."""
        changes = self.encoder(pixels - 0.5)
        return self.skip.latents(to_cosines(pixels), changes, self.fsq)

    def draw(self, values: Tensor) -> Tensor:
        """Values (B, k, D) to a picture, float32 (B, 3, side, side), somewhat outside of 0..1."""
        linear = self.linear(values)
        return linear + self.decoder(values, linear - 0.5).float()

    def linear(self, values: Tensor) -> Tensor:
        """What the cosines alone would draw."""
        return to_pixels(self.skip.cosines(values), self.side)

    def forward(self, pixels: Tensor, tokens: tuple[int, ...]) -> tuple[Tensor, list[Tensor]]:
        """For training: latents of pixels, and what is drawn of so many first tokens each."""
        latents = self.latents(pixels)
        values = self.fsq.straight(latents)
        return latents, [self.draw(values[:, :k]) for k in tokens]


def write(path: Path, tokenizer: RegisterTokenizer, card: dict[str, Any]) -> None:
    """One file with weights (in half precision, but for the skip's), shape and card."""
    state = {
        k: (v if k.startswith("skip.") else v.half()).detach().cpu().contiguous()
        for k, v in tokenizer.state_dict().items()
    }
    metadata = {KIND: tokenizer.shape.to_json(), CARD: json.dumps(card, sort_keys=True)}
    write_atomically(path, ordered(save(state, metadata)), overwrite=True)


def tokenizer_from(checkpoint: Checkpoint) -> RegisterTokenizer:
    """The tokenizer of a file that `write` wrote.

    Raises:
        DamagedModelError: it is none, or its weights do not fit its shape.
    """
    shape = RegisterShape.from_json(checkpoint.metadata[KIND])
    with torch.device("meta"):
        tokenizer = RegisterTokenizer(shape)
    checkpoint.fill(tokenizer)
    return tokenizer


def _patches(shape: RegisterShape) -> Patches:
    grid = shape.side // shape.patch
    patches = Patches(3, shape.patch, shape.width, (grid, grid))
    nn.init.normal_(patches.places, std=SPREAD)
    return patches


def _nothing(before: int, after: int) -> nn.Linear:
    """A layer that gives zeros until it has learnt."""
    layer = nn.Linear(before, after)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def _drawn(count: int, width: int) -> Tensor:
    return SPREAD * torch.randn(count, width)
