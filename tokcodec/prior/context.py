"""What is known of a picture so far, to the context of every digit of the next pass."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from tokcodec.prior.maps import FINE, clipped, scalar, seen_from
from tokcodec.prior.tables import AGE_LUT, AGE_SPAN, SIGN_LUT, PassTables, pass_tables
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.layout import Grid
from tokcodec.tokens.order import Pass

CAP = 6  # magnitudes beyond six steps say no more than six do
OTHER_CAP = CAP * FINE  # of other bands, in quarters of a step
WEIGHT_BITS = 6  # weights are in 1/64 of a cell
_EMPTY, _ZERO = np.zeros(0, np.int32), np.zeros(1, np.int32)


class Contexts:
    """The prior of models with tables: each pass has a table of its own."""

    def __init__(self, known: Knowledge) -> None:
        self.known = known
        self._unit: Unit | None = None

    def look(self, step: Pass) -> tuple[np.ndarray, PassTables]:
        """Row of the tables for each digit of `step`: int16 (*lead, step.digits)."""
        b = self.known.order.bands[step.band]
        model = self.known.order.model
        tables = pass_tables(model, b.channel, b.level, b.orientation, step.plane, step.parity)
        return self.contexts(step, tables), tables

    def contexts(self, step: Pass, tables: PassTables) -> np.ndarray:
        """Row of `tables.frequencies` for each digit of `step`: int16 (*lead, step.digits)."""
        known = self.known
        expected, leaning = self.sums(step, tables)
        leaning += scalar(SIGN_LUT)
        rows = tables.magnitude_lut.take(expected, mode="clip")
        rows = rows + tables.sign_lut.take(leaning, mode="clip")
        if rows.shape != (shape := (*known.lead, step.digits)):  # one value for all
            rows = np.full(shape, rows[0])
        ages = self.unit(step).ages
        return rows if ages is None else np.maximum(rows, ages[..., known.order.places(step).half])

    def sums(self, step: Pass, tables: PassTables) -> tuple[np.ndarray, np.ndarray]:
        """Weighted magnitudes and signed values around each digit of `step`, in cells of the
        look-up tables: (*lead, digits of the pass), or one value if all are equal.

        Neighbours without weight, and bands that are zero throughout, cost nothing.
        """
        known, unit = self.known, self.unit(step)
        places = known.order.places(step)
        m, s = tables.magnitude_weights, tables.sign_weights
        magnitudes, values = [], []
        if known.lit(step.band):
            near = clipped(known.q[step.band], CAP)
            if s[0] or s[1] or s[2]:
                around = neighbours(near, places.grid, s[:3])
                values.append(weighted(around, s[:3]).take(places.core_cells, axis=-1))
            if m[0] or m[1] or m[2]:
                around = neighbours(np.abs(near, out=near), places.grid, m[:3])
                magnitudes.append(weighted(around, m[:3]).take(places.core_cells, axis=-1))
        if known.lit(places.parent) and (m[3] or m[4]):
            magnitudes.append(weighted(unit.above, m[3:5]).take(places.parent_cells, axis=-1))
        if known.lit(places.luma) and (m[5] or s[3]):
            beside = unit.beside[..., places.half]
            if m[5]:
                magnitudes.append(np.abs(beside) * m[5])
            if s[3]:
                values.append(beside * s[3])
        return total(magnitudes) >> WEIGHT_BITS, total(values) >> WEIGHT_BITS

    def unit(self, step: Pass) -> Unit:
        """What `step` shares with the other pass over its unit."""
        unit = self._unit
        if unit is None or unit.plane != step.plane or unit.band != step.band:
            unit = self._unit = Unit(self.known, step)
        return unit


class Unit:
    """What both passes over a unit look at: known before the first, it does not change in between.

    What neither asks for is not worked out.
    """

    def __init__(self, known: Knowledge, step: Pass) -> None:
        """Before any of the unit's digits are known."""
        self.known, self.band, self.plane = known, step.band, step.plane
        self._places = known.order.places(step)
        known.begin(step)
        self.ages = self._ages() if known.lit(step.band) else None

    def _ages(self) -> np.ndarray:
        """Rows of refining digits, zero for others, in coding order: int16 (*lead, cells)."""
        here = self.known.q[self.band].take(self._places.grid.inside, axis=-1)
        here += scalar(AGE_SPAN)
        return AGE_LUT.take(here, mode="clip")

    @cached_property
    def above(self) -> list[np.ndarray]:
        """Magnitudes of the parent seen from the unit's plane, and the rings around them, over its
        core.
        """
        known, parent = self.known, self._places.parent
        grid = known.order.grid(parent)
        seen = rescaled(known.q[parent], self.plane - known.plane[parent])
        across, down, diagonal = neighbours(np.abs(seen, out=seen), grid)
        return [seen[..., grid.core], (across + down) * scalar(2) + diagonal]

    @cached_property
    def beside(self) -> np.ndarray:
        """Luma's values at the unit's cells, seen from its plane, in coding order."""
        known, luma = self.known, self._places.luma
        beside = known.q[luma].take(self._places.grid.inside, axis=-1)
        return rescaled(beside, self.plane - known.plane[luma])


def rescaled(q: np.ndarray, planes: int) -> np.ndarray:
    """`q` in quarters of a step `planes` planes finer (coarser, if negative), within +-`OTHER_CAP`;
    halves go outward.
    """
    return seen_from(q, planes, OTHER_CAP)


def neighbours(
    a: np.ndarray, grid: Grid, wanted: Sequence[int | np.ndarray] = (1, 1, 1)
) -> list[np.ndarray]:
    """Sums over the two neighbours across, the two down and the four diagonal ones, over the core.

    Those whose entry in `wanted` is zero are not worked out: an empty array stands for them.
    """
    s, n = grid.stride, grid.cells
    across = down = diagonal = _EMPTY
    if wanted[0] or wanted[2]:
        pair = a[..., :-2] + a[..., 2:]  # pair[i] stands around cell i + 1
        across = pair[..., s : n - s - 2]
        if wanted[2]:
            diagonal = pair[..., : n - 2 * s - 2] + pair[..., 2 * s : n - 2]
    if wanted[1]:
        down = a[..., 1 : n - 2 * s - 1] + a[..., 2 * s + 1 : n - 1]
    return [across, down, diagonal]


def weighted(arrays: Sequence[np.ndarray], weights: Sequence[np.ndarray]) -> np.ndarray:
    """The weighted sum of the arrays whose weight is not zero (one at least)."""
    return total([a * w for a, w in zip(arrays, weights, strict=True) if w])


def total(terms: list[np.ndarray]) -> np.ndarray:
    """The sum of the terms, the first of which may be overwritten; one zero if there are none."""
    if not terms:
        return _ZERO
    first = terms[0]
    for term in terms[1:]:
        first += term
    return first
