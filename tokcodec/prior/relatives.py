"""A band to the bands that say something of it, and to the cells in them that are near its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from tokcodec.tokens.layout import ACROSS, DIAGONAL, DOWN, LOW, Band, Grid
from tokcodec.tokens.order import Order

KEPT = 1 << 14  # cells; what is known of larger bands is not kept
_SISTERS = {
    LOW: (), ACROSS: (DOWN, DIAGONAL), DOWN: (ACROSS, DIAGONAL), DIAGONAL: (ACROSS, DOWN),
}  # fmt: skip
_OTHERS = ((1, 2), (0, 2), (0, 1))  # the other channels of each


class Relatives(NamedTuple):
    """Numbers of bands; -1 where there is no such band.

    Attributes:
        parent: one level coarser, same channel and orientation.
        sisters: same channel and level, the other two orientations; the low band has none.
        channels: same level and orientation, the other two channels.
        child: one level finer, same channel and orientation; the low band has none.
    """

    parent: int
    sisters: tuple[int, ...]
    channels: tuple[int, ...]
    child: int


def relatives(bands: Sequence[Band]) -> tuple[Relatives, ...]:
    """Those of each band."""
    index = {(b.channel, b.level, b.orientation): i for i, b in enumerate(bands)}
    return tuple(
        Relatives(
            -1 if b.parent is None else b.parent,
            tuple(index.get((b.channel, b.level, o), -1) for o in _SISTERS[b.orientation]),
            tuple(index.get((c, b.level, b.orientation), -1) for c in _OTHERS[b.channel]),
            index.get((b.channel, b.level + 1, b.orientation), -1) if b.level else -1,
        )
        for b in bands
    )


class Geometry(NamedTuple):
    """Of a band's cells, in coding order: where they lie in the picture, and which cells of other
    bands lie there, too, as numbers in the coding order of those.

    Attributes:
        height: how far above the middle, +-64 at most, as skies are bright: int16 (cells,).
        aside: how far from the middle column, 0..64, as what is photographed is mostly there: the
            same.
        parent: the cell above, int (cells,); empty if there is no parent.
        sisters: the same cell, or the nearest, as odd sizes leave a sister a row or column short;
            empty for those of the same size, whose order is the same.
    """

    height: np.ndarray
    aside: np.ndarray
    parent: np.ndarray
    sisters: list[np.ndarray]


class Family:
    """The bands of a picture, and how they lie to each other. A band's `Geometry` is kept once it
    was asked for, unless it has more than `KEPT` cells.
    """

    def __init__(self, bands: Sequence[Band], grids: Sequence[Grid]) -> None:
        self.relatives = relatives(bands)
        self._bands, self._grids = bands, grids
        self._kept: dict[int, Geometry] = {}

    def geometry(self, band: int) -> Geometry:
        """Where the cells of a band lie."""
        found = self._kept.get(band)
        if found is None:
            found = self._look(band)
            if self._grids[band].cells <= KEPT:
                self._kept[band] = found
        return found

    def _look(self, band: int) -> Geometry:
        b, near, grid = self._bands[band], self.relatives[band], self._grids[band]
        y, x = np.divmod(grid.visit, b.width)
        height = 64 - 64 * (2 * y + 1) // b.height
        aside = 64 * np.abs(2 * x + 1 - b.width) // b.width

        def number(other: int, rows: int = 0, cols: int = 0) -> np.ndarray:
            """The cells of band `other` at y >> rows, x >> cols."""
            there = self._grids[other]
            row = np.minimum(y >> rows, there.height - 1)
            column = np.minimum(x >> cols, there.width - 1)
            return there.rank.take(row * there.width + column)

        none = grid.visit[:0]
        return Geometry(
            height.astype(np.int16),
            aside.astype(np.int16),
            none if near.parent < 0 else number(near.parent, b.parent_rows, b.parent_cols),
            [none if i < 0 or self._grids[i] is grid else number(i) for i in near.sisters],
        )


_FAMILIES: WeakKeyDictionary[Order, Family] = WeakKeyDictionary()


def family_of(order: Order) -> Family:
    """That of an order; kept for as long as the order is."""
    found = _FAMILIES.get(order)
    if found is None:
        grids = [order.grid(i) for i in range(len(order.bands))]
        found = _FAMILIES[order] = Family(order.bands, grids)
    return found
