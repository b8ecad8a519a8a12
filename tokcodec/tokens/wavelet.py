"""Planes of any size to the bands of a CDF 9/7 wavelet pyramid, and back.

Lifting with whole-sample symmetric extension, so a plane of n samples gives exactly n
coefficients for every n. The filters are those of Cohen, Daubechies and Feauveau (1992) in the
lifting form of Daubechies and Sweldens (1998), scaled so that a flat plane keeps its value in
the low band: coefficients of every level are in units of pixel values.

Only elementwise float32 operations are used, in a fixed order, so that two machines compute the
same coefficients bit for bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LIFT = tuple(
    np.float32(x)
    for x in (-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971)
)
SCALE_LOW = np.float32(1 / 1.230174104914001)
SCALE_HIGH = np.float32(1.230174104914001 / 2)
COARSEST = 4  # both sides of the coarsest band are at most this


class Level(NamedTuple):
    """One split of a plane of `height` x `width` samples, along the axes that are still long."""

    height: int
    width: int
    split_rows: bool  # the vertical axis is halved
    split_cols: bool  # the horizontal axis is halved


def levels(height: int, width: int) -> list[Level]:
    """The splits of a `height` x `width` plane, finest first, until both sides are at most
    `COARSEST`.
    """
    out = []
    while height > COARSEST or width > COARSEST:
        level = Level(height, width, height > COARSEST, width > COARSEST)
        out.append(level)
        height = (height + 1) // 2 if level.split_rows else height
        width = (width + 1) // 2 if level.split_cols else width
    return out


def low_size(height: int, width: int, depth: int) -> tuple[int, int]:
    """Height and width of the low band after the first `depth` splits (all of them: of the coarsest
    band).
    """
    for level in levels(height, width)[:depth]:
        height = (height + 1) // 2 if level.split_rows else height
        width = (width + 1) // 2 if level.split_cols else width
    return height, width


def _add_neighbours(
    target: np.ndarray, source: np.ndarray, weight: np.float32, ahead: bool
) -> None:
    """target[i] += weight * (source[i] + source[i + 1]) (ahead) or (source[i - 1] + source[i]),
    mirrored at the ends.
    """
    n, m = target.shape[-2], source.shape[-2]
    if ahead:  # odd samples from the even ones around them: m is n or n + 1
        inner = min(n, m - 1)
        step = source[..., :inner, :] + source[..., 1 : inner + 1, :]
        step *= weight
        target[..., :inner, :] += step
        if inner < n:
            target[..., inner, :] += (weight + weight) * source[..., m - 1, :]
    else:  # even samples from the odd ones around them: m is n or n - 1
        step = source[..., : n - 1, :][..., : m - 1, :] + source[..., 1 : min(n, m), :]
        step *= weight
        target[..., 1 : 1 + step.shape[-2], :] += step
        target[..., 0, :] += (weight + weight) * source[..., 0, :]
        if m < n:
            target[..., n - 1, :] += (weight + weight) * source[..., m - 1, :]


def split(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Halve axis -2 of `x` (float32, two samples or more): low (ceil half), high (floor half)."""
    low, high = x[..., ::2, :].copy("K"), x[..., 1::2, :].copy("K")
    for i, weight in enumerate(LIFT):
        if i % 2 == 0:
            _add_neighbours(high, low, weight, ahead=True)
        else:
            _add_neighbours(low, high, weight, ahead=False)
    low *= SCALE_LOW
    high *= SCALE_HIGH
    return low, high


def merge(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The inverse of `split`; `low` and `high` are left as they are."""
    low, high = low * (1 / SCALE_LOW), high * (1 / SCALE_HIGH)
    for i, weight in reversed(list(enumerate(LIFT))):
        if i % 2 == 0:
            _add_neighbours(high, low, -weight, ahead=True)
        else:
            _add_neighbours(low, high, -weight, ahead=False)
    shape = (*low.shape[:-2], low.shape[-2] + high.shape[-2], low.shape[-1])
    if low.ndim > 1 and low.strides[-1] > low.strides[-2]:  # columns lie together: keep it so
        out = np.empty((*shape[:-2], shape[-1], shape[-2]), np.float32).swapaxes(-1, -2)
    else:
        out = np.empty(shape, np.float32)
    out[..., ::2, :] = low
    out[..., 1::2, :] = high
    return out
