"""The noise that the neural decoder draws with: for ever the same, so that a stream always gives
the same picture.
"""

from __future__ import annotations

from functools import cache

import numpy as np

NOISE = 4  # channels of it
TILE = 256  # rows and columns after which it repeats


def noise(height: int, width: int, place: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Standard normal numbers, float32 (NOISE, height, width): a cut at `place` (row, column) of an
    endless sheet.
    """
    rows, columns = (np.arange(n) + at for n, at in zip((height, width), place, strict=True))
    return tile()[:, rows[:, None] % TILE, columns % TILE]


@cache
def tile() -> np.ndarray:
    """What repeats: float32 (NOISE, TILE, TILE)."""
    frozen = np.random.RandomState(1)  # its numbers never change, unlike those of a Generator
    return frozen.standard_normal((NOISE, TILE, TILE)).astype(np.float32)
