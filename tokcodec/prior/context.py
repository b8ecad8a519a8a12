"""What is known of a picture so far, to the context of every digit of the next pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tokcodec.prior.tables import AGE_SPAN, SIGN_LUT, PassTables
from tokcodec.tokens.layout import Grid
from tokcodec.tokens.order import Order, Pass

CAP = 6  # magnitudes beyond six steps say no more than six do
FINE = 4  # other bands' magnitudes are counted in quarters of a step
OTHER_CAP = CAP * FINE
WEIGHT_BITS = 6  # weights are in 1/64 of a cell
_EMPTY = np.zeros(0, np.int32)


class Knowledge:
    """The digits seen so far, as one integer a coefficient: q, in steps of the last plane seen.

    Both ends of the link keep one: the encoder fills it with digits it sends, the decoder with
    digits it receives, so that both see the same neighbourhood. Arrays have the flat, bordered form
    of `Grid`; leading axes are allowed (training reads many pictures of one size at once).
    """

    def __init__(self, order: Order, lead: tuple[int, ...] = ()) -> None:
        self.order = order
        self.lead = lead
        self.q: dict[int, np.ndarray] = {}  # by band: int32 (*lead, grid.cells)
        self.plane = [-1] * len(order.bands)  # last plane begun
        self._seen = [0] * len(order.bands)  # digits of that plane that are in
        self._lit: set[int] = set()  # bands that hold anything but zeros
        self._above: tuple[tuple[int, ...], list[np.ndarray]] = ((), [])

    def begin(self, step: Pass) -> np.ndarray:
        """The band's coefficients, in steps of the plane of `step`."""
        q = self.q.get(step.band)
        if q is None:
            cells = self.order.grid(step.band).cells
            q = self.q[step.band] = np.zeros((*self.lead, cells), np.int32)
        if self.plane[step.band] < step.plane:
            self.plane[step.band] = step.plane
            self._seen[step.band] = 0
            np.multiply(q, 3, out=q)
        return q

    def seen(self, band: int) -> int:
        """How many coefficients of the band have their digit of the last plane begun, in coding
        order.
        """
        return self._seen[band]

    def add(self, step: Pass, digits: np.ndarray) -> None:
        """Take in the first digits of `step` (if some are missing, nothing may follow)."""
        q, grid = self.begin(step), self.order.grid(step.band)
        self._seen[step.band] += digits.shape[-1]
        if digits.any():
            at = grid.positions[step.parity][: digits.shape[-1]] + np.int32(grid.core.start)
            q[..., at] += digits
            self._lit.add(step.band)

    def contexts(self, step: Pass, tables: PassTables) -> np.ndarray:
        """Row of `tables.frequencies` for each digit of `step`: int32 (*lead, step.digits)."""
        q, grid = self.begin(step), self.order.grid(step.band)
        expected, leaning = self.sums(step, tables)
        rows = tables.magnitude_lut.take(expected, mode="clip")
        rows = rows + tables.sign_lut.take(leaning + SIGN_LUT, mode="clip")
        if step.band not in self._lit:
            return np.broadcast_to(rows, (*self.lead, step.digits))
        here = q[..., grid.core].take(grid.positions[step.parity], axis=-1)
        return np.where(here == 0, rows, tables.age_lut.take(here + AGE_SPAN, mode="clip"))

    def sums(self, step: Pass, tables: PassTables) -> tuple[np.ndarray, np.ndarray]:
        """Weighted magnitudes and signed values around each digit of `step`, in cells of the
        look-up tables: (*lead, digits of the pass), or one value if all are equal.
        """
        expected = leaning = np.zeros(1, np.int32)
        for term in self._magnitude_terms(step, tables.magnitude_weights):
            expected = expected + term
        for term in self._sign_terms(step, tables.sign_weights):
            leaning = leaning + term
        return expected >> WEIGHT_BITS, leaning >> WEIGHT_BITS

    def _magnitude_terms(self, step: Pass, weights: tuple[int, ...]) -> Iterator[np.ndarray]:
        """A term for each kind of neighbour that carries weight and is not zero throughout."""
        q, grid, at = self._here(step)
        if step.band in self._lit and any(weights[:3]):
            a = np.minimum(np.abs(q), CAP)
            yield weighted(neighbours(a, grid, weights[:3]), weights[:3]).take(at, axis=-1)
        parent = self.order.bands[step.band].parent
        if parent is not None and parent in self._lit and any(weights[3:5]):
            term = weighted(self.above(parent, step.plane), weights[3:5])
            yield term.take(self.order.parents(step.band)[step.parity], axis=-1)
        luma = self.order.luma(step.band)
        if luma is not None and luma in self._lit and weights[5]:
            yield np.abs(self._beside(luma, step, grid, at)) * np.int32(weights[5])

    def _sign_terms(self, step: Pass, weights: tuple[int, ...]) -> Iterator[np.ndarray]:
        """Signed values, likewise."""
        q, grid, at = self._here(step)
        if step.band in self._lit and any(weights[:3]):
            g = np.maximum(np.minimum(q, CAP), -CAP)
            yield weighted(neighbours(g, grid, weights[:3]), weights[:3]).take(at, axis=-1)
        luma = self.order.luma(step.band)
        if luma is not None and luma in self._lit and weights[3]:
            yield self._beside(luma, step, grid, at) * np.int32(weights[3])

    def _here(self, step: Pass) -> tuple[np.ndarray, Grid, np.ndarray]:
        grid = self.order.grid(step.band)
        return self.begin(step), grid, grid.positions[step.parity]

    def _beside(self, luma: int, step: Pass, grid: Grid, at: np.ndarray) -> np.ndarray:
        """The luma band's values at the cells of `step`, seen from its plane."""
        q = self.q[luma][..., grid.core].take(at, axis=-1)
        return rescaled(q, step.plane - self.plane[luma])

    def above(self, parent: int, plane: int) -> list[np.ndarray]:
        """Magnitudes of a band seen from `plane`, and the rings around them, over its core."""
        key = (parent, self.plane[parent], self._seen[parent], plane)
        if self._above[0] != key:  # the two passes of a unit ask for the same
            grid = self.order.grid(parent)
            seen = np.abs(rescaled(self.q[parent], plane - self.plane[parent]))
            across, down, diagonal = neighbours(seen, grid)
            self._above = key, [seen[..., grid.core], (across + down) * np.int32(2) + diagonal]
        return self._above[1]


def rescaled(q: np.ndarray, planes: int) -> np.ndarray:
    """`q` in quarters of a step `planes` planes finer (coarser, if negative), within +-`OTHER_CAP`;
    halves go outward.
    """
    if planes >= 0:
        unit = np.int32(FINE * 3 ** min(planes, 4))  # at four planes every value is beyond the cap
        near = np.maximum(np.minimum(q, OTHER_CAP), -OTHER_CAP) * unit
        return np.maximum(np.minimum(near, OTHER_CAP), -OTHER_CAP)
    unit = np.int32(3 ** min(-planes, 16))
    limit = OTHER_CAP * unit // FINE + 1
    near = (np.minimum(np.abs(q), limit) * np.int32(FINE) + unit // 2) // unit
    return np.minimum(near, OTHER_CAP) * np.sign(q)


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


def weighted(arrays: list[np.ndarray], weights: Sequence[int]) -> np.ndarray:
    """The weighted sum of the arrays whose weight is not zero (one at least)."""
    terms = [a * np.int32(w) for a, w in zip(arrays, weights, strict=True) if w]
    total = terms[0]
    for term in terms[1:]:
        total += term
    return total
