"""A model and a picture's size to the one order in which its digits are sent."""

from __future__ import annotations

from copy import copy
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tokcodec.model import Model
from tokcodec.tokens.layout import Band, Grid, bands

# Orders are kept for the next picture of the same size, of large ones only two.
SMALL, LARGE = 1 << 18, 1 << 20  # pixels


class Pass(NamedTuple):
    """Half a unit: the even (parity 0) or odd (parity 1) cells of one plane of one band."""

    band: int
    plane: int
    parity: int
    digits: int


class Places(NamedTuple):
    """Where the digits of a pass lie, and where to look for their context."""

    grid: Grid
    half: slice  # of the grid's `visit`
    cells: np.ndarray  # in the band's bordered array
    at: np.ndarray  # the same, counted from the start of its core
    parent: int  # band, or -1
    up: np.ndarray  # the cells above, counted from the start of the parent's core
    luma: int  # band, or -1


class Base(NamedTuple):
    """Coefficients known beforehand, which the digits are added to.

    Attributes:
        values: a band each, int32 (height, width), in steps of the band's last plane.
        planes: how many planes of each band they rest on, the share of the last as a fraction.
        share: how much of the picture they stand for, 0..1.
    """

    values: list[np.ndarray]
    planes: list[float]
    share: float


class Order:
    """All passes over a `height` x `width` picture with `channels` channels (3, or 1 for grey),
    most telling first.

    Units (band, plane) are sorted by the model's scores, the squared error that a bit removes; ties
    by plane, level, channel, orientation. The score of a unit is never above that of the plane
    before it.

    `base` is what the digits are added to: None, which is zeros, but for pictures with a reference.
    """

    def __init__(self, model: Model, height: int, width: int, channels: int) -> None:
        self.model, self.height, self.width, self.channels = model, height, width, channels
        self.base: Base | None = None
        self.bands: list[Band] = bands(height, width, channels)
        self.planes = [model.planes(b.channel, b.area) for b in self.bands]
        self._grids: dict[tuple[int, int], Grid] = {}
        self._places: dict[tuple[int, int], Places] = {}
        units = []
        for i, b in enumerate(self.bands):
            lowest = None
            for plane in range(self.planes[i]):
                score = model.score(b.channel, b.level, b.orientation, plane, b.area)
                lowest = score if lowest is None else min(lowest, score)
                units.append((-lowest, plane, b.level, b.channel, b.orientation, i))
        units.sort()
        self.passes: list[Pass] = []
        for _, plane, _, _, _, i in units:
            even = (self.bands[i].height * self.bands[i].width + 1) // 2
            odd = self.bands[i].height * self.bands[i].width - even
            self.passes.append(Pass(i, plane, 0, even))
            if odd:
                self.passes.append(Pass(i, plane, 1, odd))
        self.digits = sum(p.digits for p in self.passes)

    def onto(self, base: Base) -> Order:
        """The same order, its digits added to `base`."""
        other = copy(self)
        other.base = base
        return other

    def split(self, digits: np.ndarray) -> list[np.ndarray]:
        """The first digits of a picture in one row, (n,), to those of each pass: whole, then fewer
        than its own in one, then none. What is beyond all passes is left out.
        """
        ends = np.cumsum([step.digits for step in self.passes])[:-1]
        return np.split(digits[: self.digits], ends)

    def grid(self, band: int) -> Grid:
        """Index arithmetic of a band; bands of equal size share it."""
        b = self.bands[band]
        grid = self._grids.get((b.height, b.width))
        if grid is None:
            grid = self._grids[b.height, b.width] = Grid(b.height, b.width)
        return grid

    def places(self, step: Pass) -> Places:
        """Index arrays of a pass; worked out once."""
        key = step.band, step.parity
        found = self._places.get(key)
        if found is None:
            grid, b = self.grid(step.band), self.bands[step.band]
            half = slice(-step.digits, None) if step.parity else slice(step.digits)
            per_channel = len(self.bands) // self.channels
            luma = step.band % per_channel if b.channel else -1
            parent, up = -1, grid.visit[:0]
            if b.parent is not None:
                parent = b.parent
                up = grid.parents(self.grid(parent), b.parent_rows, b.parent_cols)[half]
            found = Places(grid, half, grid.inside[half], grid.positions[half], parent, up, luma)
            self._places[key] = found
        return found


_small = lru_cache(maxsize=16)(Order)
_large = lru_cache(maxsize=2)(Order)


def order_for(model: Model, height: int, width: int, channels: int) -> Order:
    """The `Order` of a picture; those of usual sizes are remembered."""
    pixels = height * width
    made = _small if pixels <= SMALL else _large if pixels <= LARGE else Order
    return made(model, height, width, channels)
