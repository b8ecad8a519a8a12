"""Bands of a picture to every resolution on the way up, as numpy arrays or torch tensors alike.

What differs between the two, the inverse transform of one axis, is handed in: `merge` is numpy's,
`lifting.merge` torch's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from tokcodec.tokens import wavelet
from tokcodec.tokens.layout import ACROSS, DIAGONAL, DOWN
from tokcodec.tokens.wavelet import Level

PARTS = 4  # low, across, down, diagonal
Array = TypeVar("Array", bound=Any)
Merge = Callable[[Array, Array, int], Array]  # low, high and axis (-1 or -2) to the whole


class Step(NamedTuple, Generic[Array]):
    """One step up: a low band and the details that double its resolution.

    `low` is (B, C, h, w); `details` holds (B, C, h' <= h, w' <= w) by orientation, those of an axis
    that is no longer split left out.
    """

    level: Level
    low: Array
    details: dict[int, Array]


def climb(bands: list[Array], height: int, width: int, merge: Merge[Array]) -> list[Step[Array]]:
    """Bands (B, C, h, w) of one channel's layout, coarsest first, to the steps up, coarsest first;
    `up` of the last gives the planes (B, C, height, width). None for a picture of one band.
    """
    rest = iter(bands)
    low, steps = next(rest), list[Step[Array]]()
    for level in reversed(wavelet.levels(height, width)):
        if steps:
            low = up(steps[-1], merge)
        steps.append(Step(level, low, {o: next(rest) for o in orientations(level)}))
    return steps


def orientations(level: Level) -> list[int]:
    """The details that a level has, in the order of `layout.bands`."""
    if level.split_cols and level.split_rows:
        return [ACROSS, DOWN, DIAGONAL]
    return [ACROSS] if level.split_cols else [DOWN]


def up(step: Step[Array], merge: Merge[Array]) -> Array:
    """The low band of twice the resolution: the inverse transform of one level."""
    level, low, details = step
    if level.split_cols and level.split_rows:
        left = merge(low, details[DOWN], -2)
        right = merge(details[ACROSS], details[DIAGONAL], -2)
        return merge(left, right, -1)
    if level.split_cols:
        return merge(low, details[ACROSS], -1)
    return merge(low, details[DOWN], -2)


def merge(low: np.ndarray, high: np.ndarray, axis: int) -> np.ndarray:
    """`wavelet.merge` along the axis -1 or -2."""
    if axis == -2:
        return wavelet.merge(low, high)
    return wavelet.merge(low.swapaxes(-1, -2), high.swapaxes(-1, -2)).swapaxes(-1, -2)


def stacked(step: Step[np.ndarray]) -> np.ndarray:
    """Low band and details side by side: (B, 4 C, h, w), zeros where there is no detail."""
    b, c, h, w = step.low.shape
    out = np.zeros((b, PARTS * c, h, w), np.float32)
    out[:, :c] = step.low
    for o, d in step.details.items():
        out[:, c * o : c * (o + 1), : d.shape[-2], : d.shape[-1]] = d
    return out
