"""What is known of a picture so far, to the context of every digit of the next pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokcodec.prior.maps import FINE, clipped, seen_from
from tokcodec.prior.tables import AGE_SPAN, SIGN_LUT, PassTables, pass_tables
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.layout import Grid
from tokcodec.tokens.order import Pass

CAP = 6  # magnitudes beyond six steps say no more than six do
OTHER_CAP = CAP * FINE  # of other bands, in quarters of a step
WEIGHT_BITS = 6  # weights are in 1/64 of a cell
_EMPTY, _ZERO = np.zeros(0, np.int32), np.zeros(1, np.int32)
# Scalars of the arrays' own type: numpy handles them faster than Python's.
_CAP, _SIGN_ZERO, _AGE_ZERO = np.int32(CAP), np.int32(SIGN_LUT), np.int32(AGE_SPAN)


class Contexts:
    """The prior of models with tables: each pass has a table of its own."""

    def __init__(self, known: Knowledge) -> None:
        self.known = known
        self._above: tuple[tuple[int, ...], list[np.ndarray]] = ((), [])

    def look(self, step: Pass) -> tuple[np.ndarray, PassTables]:
        """Row of the tables for each digit of `step`: int32 (*lead, step.digits)."""
        b = self.known.order.bands[step.band]
        model = self.known.order.model
        tables = pass_tables(model, b.channel, b.level, b.orientation, step.plane, step.parity)
        return self.contexts(step, tables), tables

    def contexts(self, step: Pass, tables: PassTables) -> np.ndarray:
        """Row of `tables.frequencies` for each digit of `step`: int32 (*lead, step.digits)."""
        known = self.known
        expected, leaning = self.sums(step, tables)
        rows = tables.magnitude_lut.take(expected, mode="clip")
        rows = rows + tables.sign_lut.take(leaning + _SIGN_ZERO, mode="clip")
        if rows.shape[-1] < step.digits:  # one value for all
            rows = rows.repeat(step.digits) if not known.lead else rows
        if not known.lit(step.band):
            return np.broadcast_to(rows, (*known.lead, step.digits)) if known.lead else rows
        here = known.q[step.band].take(known.order.places(step).cells, axis=-1)
        return np.where(here == 0, rows, tables.age_lut.take(here + _AGE_ZERO, mode="clip"))

    def sums(self, step: Pass, tables: PassTables) -> tuple[np.ndarray, np.ndarray]:
        """Weighted magnitudes and signed values around each digit of `step`, in cells of the
        look-up tables: (*lead, digits of the pass), or one value if all are equal.

        Neighbours without weight, and bands that are zero throughout, cost nothing.
        """
        known = self.known
        q, places = known.begin(step), known.order.places(step)
        m, s = tables.magnitude_weights, tables.sign_weights
        magnitudes, values = [], []
        if known.lit(step.band):
            if m[0] or m[1] or m[2]:
                around = neighbours(np.minimum(np.abs(q), _CAP), places.grid, m[:3])
                magnitudes.append(weighted(around, m[:3]).take(places.at, axis=-1))
            if s[0] or s[1] or s[2]:
                around = neighbours(clipped(q, CAP), places.grid, s[:3])
                values.append(weighted(around, s[:3]).take(places.at, axis=-1))
        if known.lit(places.parent) and (m[3] or m[4]):
            above = weighted(self.above(places.parent, step.plane), m[3:5])
            magnitudes.append(above.take(places.up, axis=-1))
        if known.lit(places.luma) and (m[5] or s[3]):
            beside = known.q[places.luma].take(places.cells, axis=-1)
            beside = rescaled(beside, step.plane - known.plane[places.luma])
            if m[5]:
                magnitudes.append(np.abs(beside) * np.int32(m[5]))
            if s[3]:
                values.append(beside * np.int32(s[3]))
        return total(magnitudes) >> WEIGHT_BITS, total(values) >> WEIGHT_BITS

    def above(self, parent: int, plane: int) -> list[np.ndarray]:
        """Magnitudes of a band seen from `plane`, and the rings around them, over its core."""
        known = self.known
        key = (parent, known.plane[parent], known.seen(parent), plane)
        if self._above[0] != key:  # the two passes of a unit ask for the same
            grid = known.order.grid(parent)
            seen = np.abs(rescaled(known.q[parent], plane - known.plane[parent]))
            across, down, diagonal = neighbours(seen, grid)
            self._above = key, [seen[..., grid.core], (across + down) * np.int32(2) + diagonal]
        return self._above[1]


def rescaled(q: np.ndarray, planes: int) -> np.ndarray:
    """`q` in quarters of a step `planes` planes finer (coarser, if negative), within +-`OTHER_CAP`;
    halves go outward.
    """
    return seen_from(q, planes, OTHER_CAP)


def neighbours(a: np.ndarray, grid: Grid, wanted: Sequence[int] = (1, 1, 1)) -> list[np.ndarray]:
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


def weighted(arrays: Sequence[np.ndarray], weights: Sequence[int]) -> np.ndarray:
    """The weighted sum of the arrays whose weight is not zero (one at least)."""
    return total([a * np.int32(w) for a, w in zip(arrays, weights, strict=True) if w])


def total(terms: list[np.ndarray]) -> np.ndarray:
    """The sum of the terms, the first of which may be overwritten; one zero if there are none."""
    if not terms:
        return _ZERO
    first = terms[0]
    for term in terms[1:]:
        first += term
    return first
