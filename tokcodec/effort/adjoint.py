"""A picture's error to its slope along every coefficient: the adjoint of the inverse transform.

The 9/7 transform is not orthonormal. What a change of one coefficient does to the squared error of
the picture is told by the inner product of the error with that coefficient's basis function, and
by the function's squared norm, not by the coefficient's own error.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tokcodec.tokens import wavelet
from tokcodec.tokens.transform import split_all
from tokcodec.tokens.wavelet import LIFT, SCALE_HIGH, SCALE_LOW

EDGE = 8  # cells from a border on which basis functions are all alike


def project(planes: np.ndarray) -> list[np.ndarray]:
    """Planes (..., height, width), float32, to their inner products with all basis functions of
    `transform.synthesise`: bands (..., h, w), coarsest first.
    """
    return split_all(planes, unmerge)


def unmerge(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The adjoint of `wavelet.merge` on axis -2: for any low and high, the inner product of
    `merge(low, high)` with `x` is that of both halves with what is returned.
    """
    low, high = x[..., ::2, :].copy("K"), x[..., 1::2, :].copy("K")
    for i, weight in enumerate(LIFT):
        if i % 2 == 0:
            _give_ahead(high, low, -weight)
        else:
            _give_behind(low, high, -weight)
    low *= 1 / SCALE_LOW
    high *= 1 / SCALE_HIGH
    return low, high


def _give_ahead(odd: np.ndarray, even: np.ndarray, weight: np.float32) -> None:
    """even[i], even[i + 1] += weight * odd[i], mirrored at the end."""
    n, m = odd.shape[-2], even.shape[-2]
    inner, step = min(n, m - 1), odd * weight
    even[..., :inner, :] += step[..., :inner, :]
    even[..., 1 : inner + 1, :] += step[..., :inner, :]
    if inner < n:
        even[..., m - 1, :] += np.float32(2) * step[..., inner, :]


def _give_behind(even: np.ndarray, odd: np.ndarray, weight: np.float32) -> None:
    """odd[i - 1], odd[i] += weight * even[i], mirrored at the ends."""
    n, m = even.shape[-2], odd.shape[-2]
    inner, step = min(n, m) - 1, even * weight
    odd[..., :inner, :] += step[..., 1 : 1 + inner, :]
    odd[..., 1 : 1 + inner, :] += step[..., 1 : 1 + inner, :]
    odd[..., 0, :] += np.float32(2) * step[..., 0, :]
    if m < n:
        odd[..., m - 1, :] += np.float32(2) * step[..., n - 1, :]


@lru_cache(maxsize=4)
def norms(height: int, width: int) -> tuple[np.ndarray, ...]:
    """Squared norms of the basis functions: an array (h, w), float32, for each band of a channel.

    They are products of those of rows and columns; only near the borders do they differ within a
    band.
    """
    levels = wavelet.levels(height, width)
    rows = _axis_norms(height, sum(level.split_rows for level in levels))
    cols = _axis_norms(width, sum(level.split_cols for level in levels))
    fine, r, c = [], 0, 0  # splits of each axis so far
    for level in levels:
        r, c = r + level.split_rows, c + level.split_cols
        sides = []  # high along y, along x, in the order of `layout.bands`
        if level.split_cols:
            sides.append((0, 1))
        if level.split_rows:
            sides.append((1, 0))
        if len(sides) == 2:
            sides.append((1, 1))
        fine.append([np.outer(rows[r][y], cols[c][x]) for y, x in sides])
    low = np.outer(rows[r][0], cols[c][0])
    return (low, *(band for group in reversed(fine) for band in group))


def _axis_norms(length: int, splits: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Squared norms of the (low, high) functions of an axis, after 0, 1, ... `splits` splits."""
    ones = np.ones(length, np.float32)
    out, lengths = [(ones, ones)], [length]
    for _ in range(splits):
        n = lengths[-1]
        halves = (n + 1) // 2, n // 2
        out.append((_squares(lengths, halves, 0), _squares(lengths, halves, 1)))
        lengths.append(halves[0])
    return out


def _squares(lengths: list[int], halves: tuple[int, int], kind: int) -> np.ndarray:
    """Squared norms of the functions of one half: `kind` 0 is low, 1 high."""
    n = halves[kind]
    near = np.arange(n) if n <= 2 * EDGE + 1 else np.r_[:EDGE, n // 2, n - EDGE : n]
    impulses = [np.zeros((half, len(near)), np.float32) for half in halves]
    impulses[kind][near, np.arange(len(near))] = 1
    x = wavelet.merge(*impulses)
    for before in lengths[-2::-1]:
        x = wavelet.merge(x, np.zeros((before // 2, len(near)), np.float32))
    found = np.square(x).sum(axis=0)
    return found if len(near) == n else _spread(found, n)


def _spread(found: np.ndarray, n: int) -> np.ndarray:
    """Values of the first cells, the middle one and the last ones to all `n`."""
    out = np.full(n, found[EDGE], np.float32)
    out[:EDGE], out[n - EDGE :] = found[:EDGE], found[EDGE + 1 :]
    return out
