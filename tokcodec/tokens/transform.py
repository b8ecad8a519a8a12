"""Planes to the bands of a wavelet pyramid, and back."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tokcodec.tokens import wavelet
from tokcodec.tokens.layout import ACROSS, DIAGONAL, DOWN

Halving = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # on axis -2
SMALL = 1 << 18  # pixels up to which all channels are transformed together


def analyse(planes: np.ndarray) -> list[np.ndarray]:
    """Planes (channels, height, width), float32, to their bands in the order of `layout.bands`.

    Bands have shape (height, width); leading axes before `channels` are carried along.
    """
    if planes[..., 0, :, :].size <= SMALL:  # all channels at once: fewer, longer operations
        stacked = split_all(planes)
        return [b[..., c, :, :] for c in range(planes.shape[-3]) for b in stacked]
    return [b for c in range(planes.shape[-3]) for b in split_all(planes[..., c, :, :])]


def split_all(low: np.ndarray, halve: Halving = wavelet.split) -> list[np.ndarray]:
    """Planes (..., height, width) to their bands (..., h, w), coarsest first: the inverse of
    `synthesise`, if `halve` is that of `wavelet.merge`.
    """
    fine = []
    for level in wavelet.levels(*low.shape[-2:]):
        found: dict[int, np.ndarray] = {}
        if level.split_cols and level.split_rows:
            left, right = (_columns(half) for half in halve(_columns(low)))
            low, found[DOWN] = halve(left)
            found[ACROSS], found[DIAGONAL] = halve(right)
        elif level.split_cols:
            low, found[ACROSS] = (_columns(half) for half in halve(_columns(low)))
        else:
            low, found[DOWN] = halve(low)
        fine.append([found[o] for o in sorted(found)])
    return [low, *(band for group in reversed(fine) for band in group)]


def synthesise(
    coefficients: list[np.ndarray], height: int, width: int, skip: int = 0
) -> np.ndarray:
    """Bands (..., h, w) of one channel or of several stacked, in `analyse`'s order, to the planes
    (..., height, width), or to their low bands `skip` levels down.
    """
    levels = wavelet.levels(height, width)
    rest = iter(coefficients)
    low = next(rest)
    for level in reversed(levels[skip:]):
        if level.split_cols and level.split_rows:
            across, down, diagonal = next(rest), next(rest), next(rest)
            left, right = wavelet.merge(low, down), wavelet.merge(across, diagonal)
            low = _columns(wavelet.merge(_columns(left), _columns(right)))
        elif level.split_cols:
            low = _columns(wavelet.merge(_columns(low), _columns(next(rest))))
        else:
            low = wavelet.merge(low, next(rest))
    return low


def _columns(x: np.ndarray) -> np.ndarray:
    return x.swapaxes(-1, -2)
