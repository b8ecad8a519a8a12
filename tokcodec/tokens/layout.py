"""The size of a picture to its bands: where each coefficient lives, and in which order they are
visited.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from tokcodec.tokens import wavelet

# Orientations: no detail, detail along x, along y, along both.
LOW, ACROSS, DOWN, DIAGONAL = range(4)
DISPERSION = 8  # side of the ordered-dither matrix that spreads the digits of a unit over the band


class Band(NamedTuple):
    """One band of one channel: `height` x `width` coefficients of the same scale and direction."""

    channel: int
    level: int  # 0 is the coarsest (LOW); the finest has the largest number
    orientation: int
    height: int
    width: int
    area: int  # log2 of the number of pixels that one coefficient stands for
    parent: int | None  # index of the band one level coarser, same channel and orientation
    parent_rows: int  # 1 if the parent has half as many rows, 0 if as many
    parent_cols: int


def bands(height: int, width: int, channels: int) -> list[Band]:
    """The bands of a `height` x `width` picture, channel by channel, coarsest first."""
    splits = wavelet.levels(height, width)
    area = sum(level.split_rows + level.split_cols for level in splits)
    low_h, low_w = wavelet.low_size(height, width, len(splits))
    out: list[Band] = []
    for channel in range(channels):
        index: dict[tuple[int, int], int] = {}
        a = area
        out.append(Band(channel, 0, LOW, low_h, low_w, a, None, 0, 0))
        for number, level in enumerate(reversed(splits), start=1):
            half_h = (level.height + 1) // 2 if level.split_rows else level.height
            half_w = (level.width + 1) // 2 if level.split_cols else level.width
            coarser = splits[len(splits) - number + 1] if number > 1 else None
            for orientation in (ACROSS, DOWN, DIAGONAL):
                if (orientation & 1 and not level.split_cols) or (
                    orientation & 2 and not level.split_rows
                ):
                    continue
                h = level.height - half_h if orientation & 2 else half_h
                w = level.width - half_w if orientation & 1 else half_w
                rows = int(coarser.split_rows) if coarser else 0
                cols = int(coarser.split_cols) if coarser else 0
                parent = index.get((number - 1, orientation))
                index[number, orientation] = len(out)
                out.append(Band(channel, number, orientation, h, w, a, parent, rows, cols))
            a -= level.split_rows + level.split_cols
    return out


@lru_cache(maxsize=1)
def _dispersion() -> list[tuple[int, int]]:
    """Offsets (y, x) within a tile, in ordered-dither order (Bayer, 1973): each prefix is spread
    evenly.

    The first half are the offsets with y + x even: the dark squares of a chess board.
    """
    bits = DISPERSION.bit_length() - 1
    rank = {}
    for y in range(DISPERSION):
        for x in range(DISPERSION):
            r = 0
            for b in range(bits):
                r = 4 * r + 2 * ((x ^ y) >> b & 1) + (y >> b & 1)
            rank[y, x] = r
    return sorted(rank, key=rank.__getitem__)


class Grid:
    """Index arithmetic of a `height` x `width` band, whose integers are kept in one flat array with
    a border of one zero on each side: row after row, `stride` = width + 2 apart.

    `core` is the slice of that array from the first cell to the last (the borders between rows lie
    in it): all of its neighbours exist, so that sums over neighbours are sums of shifted slices.

    Each cell (y, x) has three numbers; arrays of them are in coding order:

    - `visit`: y * width + x, in the band without border;
    - `inside`: in the bordered array;
    - `positions`: in a `core`, that is, `inside` less `core.start`.

    Numbers are of the type that numpy indexes with: others it converts whenever they are used.
    """

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.stride = width + 2
        self.cells = (height + 2) * self.stride
        self.core = slice(self.stride + 1, self.cells - self.stride - 1)
        self._parents: dict[tuple[Grid, int, int], np.ndarray] = {}

    @cached_property
    def visit(self) -> np.ndarray:
        """y * width + x of all cells, in coding order."""
        return self._ordered(np.arange(self.height) * self.width, np.arange(self.width))

    @cached_property
    def passes(self) -> tuple[np.ndarray, np.ndarray]:
        """The two halves of `visit`: the even cells of the chess board, then the odd."""
        even = (self.height * self.width + 1) // 2
        return self.visit[:even], self.visit[even:]

    @cached_property
    def rank(self) -> np.ndarray:
        """The inverse of `visit`: the number in coding order of the cell y * width + x."""
        out = np.empty_like(self.visit)
        out[self.visit] = np.arange(len(out), dtype=np.intp)
        return out

    @cached_property
    def inside(self) -> np.ndarray:
        """The numbers of the cells in the bordered array, in coding order."""
        return self.positions + self.core.start

    @cached_property
    def positions(self) -> np.ndarray:
        """The numbers of the cells in `core`, in coding order."""
        return self._ordered(np.arange(self.height) * self.stride, np.arange(self.width))

    def parents(self, parent: Grid, rows: int, cols: int) -> np.ndarray:
        """The number, in `parent`'s core, of the cell above each cell, in coding order.

        Args:
            parent: grid of the parent band.
            rows, cols: 1 if it has half as many rows or columns, else 0.
        """
        found = self._parents.get((parent, rows, cols))
        if found is None:
            y = np.minimum(np.arange(self.height) >> rows, parent.height - 1)
            x = np.minimum(np.arange(self.width) >> cols, parent.width - 1)
            found = self._parents[parent, rows, cols] = self._ordered(y * parent.stride, x)
        return found

    def _ordered(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """The number of each cell's row plus that of its column, cells in coding order."""
        rows, columns = rows.astype(np.intp)[:, None], columns.astype(np.intp)
        return np.concatenate(
            [(rows[y::DISPERSION] + columns[x::DISPERSION]).ravel() for y, x in _dispersion()]
        )
