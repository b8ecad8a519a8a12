"""`steps` over torch tensors, differentiable, and the way down again: for training and effort."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from tokcodec.decoders import lifting, steps
from tokcodec.decoders.steps import PARTS, Step, orientations
from tokcodec.tokens import wavelet
from tokcodec.tokens.layout import ACROSS, DIAGONAL, DOWN
from tokcodec.tokens.wavelet import Level


def climb(bands: list[Tensor], height: int, width: int) -> list[Step[Tensor]]:
    """See `steps.climb`."""
    return steps.climb(bands, height, width, lifting.merge)


def up(step: Step[Tensor]) -> Tensor:
    """See `steps.up`."""
    return steps.up(step, lifting.merge)


def down(x: Tensor, level: Level) -> Step[Tensor]:
    """The forward transform of one level: planes (B, C, height, width) to their halves."""
    if level.split_cols and level.split_rows:
        left, right = lifting.split(x, -1)
        low, below = lifting.split(left, -2)
        across, diagonal = lifting.split(right, -2)
        return Step(level, low, {ACROSS: across, DOWN: below, DIAGONAL: diagonal})
    low, high = lifting.split(x, -1 if level.split_cols else -2)
    return Step(level, low, {ACROSS if level.split_cols else DOWN: high})


def analyse(planes: Tensor) -> list[Tensor]:
    """Planes (B, C, H, W) to bands (B, C, h, w), coarsest first."""
    fine, low = [], planes
    for level in wavelet.levels(*planes.shape[-2:]):
        step = down(low, level)
        fine.append([step.details[o] for o in sorted(step.details)])
        low = step.low
    return [low, *(band for group in reversed(fine) for band in group)]


def stacked(step: Step[Tensor]) -> Tensor:
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


def unstacked(x: Tensor, level: Level) -> Step[Tensor]:
    """The inverse of `stacked`: what a level has no place for is left out."""
    low, across, below, diagonal = x.chunk(PARTS, 1)
    high_h, high_w = level.height // 2, level.width // 2
    cut = {
        ACROSS: across[..., :high_w],
        DOWN: below[..., :high_h, :],
        DIAGONAL: diagonal[..., :high_h, :high_w],
    }
    return Step(level, low, {o: cut[o] for o in orientations(level)})
