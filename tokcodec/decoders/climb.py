"""Bands of a picture, as torch tensors, to every resolution on the way up and to its planes."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from tokcodec.decoders import lifting
from tokcodec.tokens import wavelet
from tokcodec.tokens.layout import ACROSS, DIAGONAL, DOWN
from tokcodec.tokens.wavelet import Level

PARTS = 4  # low, across, down, diagonal


class Step(NamedTuple):
    """One step up: a low band and the details that double its resolution.

    `low` is (B, C, h, w); `details` holds (B, C, h' <= h, w' <= w) by orientation, those of an axis
    that is no longer split left out.
    """

    level: Level
    low: Tensor
    details: dict[int, Tensor]


def climb(bands: list[Tensor], height: int, width: int) -> list[Step]:
    """Bands (B, C, h, w) of one channel's layout, coarsest first, to the steps up, coarsest first;
    `up` of the last gives the planes (B, C, height, width). None for a picture of one band.
    """
    rest = iter(bands)
    low, steps = next(rest), list[Step]()
    for level in reversed(wavelet.levels(height, width)):
        if steps:
            low = up(steps[-1])
        steps.append(Step(level, low, {o: next(rest) for o in orientations(level)}))
    return steps


def orientations(level: Level) -> list[int]:
    """The details that a level has, in the order of `layout.bands`."""
    if level.split_cols and level.split_rows:
        return [ACROSS, DOWN, DIAGONAL]
    return [ACROSS] if level.split_cols else [DOWN]


def up(step: Step) -> Tensor:
    """The low band of twice the resolution: the inverse transform of one level."""
    level, low, details = step
    if level.split_cols and level.split_rows:
        left = lifting.merge(low, details[DOWN], -2)
        right = lifting.merge(details[ACROSS], details[DIAGONAL], -2)
        return lifting.merge(left, right, -1)
    if level.split_cols:
        return lifting.merge(low, details[ACROSS], -1)
    return lifting.merge(low, details[DOWN], -2)


def down(x: Tensor, level: Level) -> Step:
    """The forward transform of one level: planes (B, C, height, width) to their halves."""
    if level.split_cols and level.split_rows:
        left, right = lifting.split(x, -1)
        low, below = lifting.split(left, -2)
        across, diagonal = lifting.split(right, -2)
        return Step(level, low, {ACROSS: across, DOWN: below, DIAGONAL: diagonal})
    low, high = lifting.split(x, -1 if level.split_cols else -2)
    return Step(level, low, {ACROSS if level.split_cols else DOWN: high})


def stacked(step: Step) -> Tensor:
    """Low band and details side by side: (B, 4 C, h, w), zeros where there is no detail."""
    b, c, h, w = step.low.shape
    parts = [step.low]
    for o in (ACROSS, DOWN, DIAGONAL):
        d = step.details.get(o)
        if d is None:
            parts.append(step.low.new_zeros(b, c, h, w))
        else:
            parts.append(F.pad(d, (0, w - d.shape[-1], 0, h - d.shape[-2])))
    return torch.cat(parts, 1)


def unstacked(x: Tensor, level: Level) -> Step:
    """The inverse of `stacked`: what a level has no place for is left out."""
    low, across, below, diagonal = x.chunk(PARTS, 1)
    high_h, high_w = level.height // 2, level.width // 2
    cut = {
        ACROSS: across[..., :high_w],
        DOWN: below[..., :high_h, :],
        DIAGONAL: diagonal[..., :high_h, :high_w],
    }
    return Step(level, low, {o: cut[o] for o in orientations(level)})
