"""A model and a picture's size to the one order in which its digits are sent."""

from __future__ import annotations

from collections.abc import Iterator
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
    """Where the digits of a pass lie, and where to look for their context (see `Grid`).

    Attributes:
        grid: of the band.
        half: which part of the band's cells, in coding order, are those of the pass.
        cells: their numbers in the band's bordered array, int (digits,).
        core_cells: their numbers in its core.
        parent: number of the parent band; -1 if there is none.
        parent_cells: numbers, in the parent's core, of the cells above; empty if there is none.
        luma: number of the same band of luma; -1 for luma itself.
    """

    grid: Grid
    half: slice
    cells: np.ndarray
    core_cells: np.ndarray
    parent: int
    parent_cells: np.ndarray
    luma: int


class _Unit(NamedTuple):
    """One plane of one band. Units sort as they are sent: highest score first, then by plane,
    level, channel and orientation, smallest first (docs/FORMAT.md, "Order").
    """

    minus_score: int
    plane: int
    level: int
    channel: int
    orientation: int
    band: int  # its number


class Base(NamedTuple):
    """Coefficients known beforehand, which the digits are added to.

    Attributes:
        values: a band each, int32 (height, width), in steps of the band's finest plane.
        planes: how many planes of each band were known when they were found; of the latest one,
            begun but not complete, the share that was known, as a fraction.
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
        self.passes: list[Pass] = []
        for unit in sorted(self._units()):
            band = self.bands[unit.band]
            odd = band.height * band.width // 2
            even = band.height * band.width - odd
            self.passes.append(Pass(unit.band, unit.plane, 0, even))
            if odd:
                self.passes.append(Pass(unit.band, unit.plane, 1, odd))
        self.digits = sum(p.digits for p in self.passes)

    def _units(self) -> Iterator[_Unit]:
        for i, b in enumerate(self.bands):
            lowest = None  # score so far: no plane is sent before the one that it refines
            for plane in range(self.planes[i]):
                score = self.model.score(b.channel, b.level, b.orientation, plane, b.area)
                lowest = score if lowest is None else min(lowest, score)
                yield _Unit(-lowest, plane, b.level, b.channel, b.orientation, i)

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
            parent, above = -1, grid.visit[:0]
            if b.parent is not None:
                parent = b.parent
                above = grid.parents(self.grid(parent), b.parent_rows, b.parent_cols)[half]
            found = Places(grid, half, grid.inside[half], grid.positions[half], parent, above, luma)
            self._places[key] = found
        return found


_small = lru_cache(maxsize=16)(Order)
_large = lru_cache(maxsize=2)(Order)


def order_for(model: Model, height: int, width: int, channels: int) -> Order:
    """The `Order` of a picture; those of usual sizes are remembered."""
    pixels = height * width
    made = _small if pixels <= SMALL else _large if pixels <= LARGE else Order
    return made(model, height, width, channels)
