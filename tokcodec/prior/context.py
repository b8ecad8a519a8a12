"""What is known of a picture so far, to the context of every digit of the next pass."""

from __future__ import annotations

import numpy as np

from tokcodec.prior.tables import AGE_SPAN, SIGN_LUT, PassTables
from tokcodec.tokens.layout import Grid
from tokcodec.tokens.order import Order, Pass

CAP = 6  # magnitudes beyond six steps say no more than six do
FINE = 4  # other bands' magnitudes are counted in quarters of a step
OTHER_CAP = CAP * FINE
WEIGHT_BITS = 6  # weights are in 1/64 of a cell


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
        """Take in the first digits of `step` (its remaining ones are unknown: nothing may follow
        then).
        """
        q, grid = self.begin(step), self.order.grid(step.band)
        at = grid.positions[step.parity][: digits.shape[-1]] + np.int32(grid.core.start)
        q[..., at] += digits
        self._seen[step.band] += digits.shape[-1]

    def contexts(self, step: Pass, tables: PassTables) -> np.ndarray:
        """Row of `tables.frequencies` for each digit of `step`: int32 (*lead, digits of the pass)."""
        q, grid = self.begin(step), self.order.grid(step.band)
        at = grid.positions[step.parity]
        expected, leaning = self.sums(step, tables)
        rows = tables.magnitude_lut.take(expected, mode="clip")
        rows = rows + tables.sign_lut.take(leaning + SIGN_LUT, mode="clip")
        if step.plane == 0:
            return np.broadcast_to(rows, (*self.lead, len(at)))
        here = q[..., grid.core].take(at, axis=-1)
        return np.where(here == 0, rows, tables.age_lut.take(here + AGE_SPAN, mode="clip"))

    def sums(self, step: Pass, tables: PassTables) -> tuple[np.ndarray, np.ndarray]:
        """The weighted magnitudes and signed values around each digit of `step`, in cells of the
        look-up tables.
        """
        q, grid = self.begin(step), self.order.grid(step.band)
        at = grid.positions[step.parity]
        expected = leaning = np.zeros(1, np.int32)
        for term in self._magnitude_terms(step, q, grid, at, tables.magnitude_weights):
            expected = expected + term
        for term in self._sign_terms(step, q, grid, at, tables.sign_weights):
            leaning = leaning + term
        return expected >> WEIGHT_BITS, leaning >> WEIGHT_BITS

    def _magnitude_terms(
        self, step: Pass, q: np.ndarray, grid: Grid, at: np.ndarray, weights: tuple[int, ...]
    ):
        """Weighted magnitudes around each digit, a term for each kind of neighbour that carries
        weight.
        """
        if any(weights[:3]):
            around = neighbours(np.minimum(np.abs(q), CAP), grid)
            own = sum_weighted(around, weights[:3])
            yield own.take(at, axis=-1)
        parent = self.order.bands[step.band].parent
        if parent is not None and any(weights[3:5]) and self.plane[parent] >= 0:
            above = self.magnitude_of(parent, step.plane)
            up = self.order.grid(parent)
            term = sum_weighted([above[..., up.core], ring(above, up)], weights[3:5])
            yield term.take(self.order.parents(step.band)[step.parity], axis=-1)
        luma = self.order.luma(step.band)
        if luma is not None and weights[5] and self.plane[luma] >= 0:
            yield self.magnitude_of(luma, step.plane)[..., grid.core].take(at, axis=-1) * np.int32(
                weights[5]
            )

    def _sign_terms(
        self, step: Pass, q: np.ndarray, grid: Grid, at: np.ndarray, weights: tuple[int, ...]
    ):
        """Weighted signed values around each digit, likewise."""
        if any(weights[:3]):
            around = neighbours(np.clip(q, -CAP, CAP), grid)
            yield sum_weighted(around, weights[:3]).take(at, axis=-1)
        luma = self.order.luma(step.band)
        if luma is not None and weights[3] and self.plane[luma] >= 0:
            beside = self.q[luma][..., grid.core].take(at, axis=-1)
            yield rescaled(beside, step.plane - self.plane[luma]) * np.int32(weights[3])

    def magnitude_of(self, band: int, plane: int) -> np.ndarray:
        """Magnitudes of another band in quarter steps of `plane`, at most `OTHER_CAP`."""
        return np.abs(rescaled(self.q[band], plane - self.plane[band]))


def rescaled(q: np.ndarray, planes: int) -> np.ndarray:
    """`q` in quarters of a step `planes` planes finer (coarser, if negative), within +-`OTHER_CAP`;
    halves go outward.
    """
    if planes >= 0:
        unit = np.int32(
            FINE * 3 ** min(planes, 4)
        )  # beyond four planes every non-zero value is at the cap
        return np.clip(np.clip(q, -OTHER_CAP, OTHER_CAP) * unit, -OTHER_CAP, OTHER_CAP)
    unit = np.int32(3 ** min(-planes, 16))
    limit = OTHER_CAP * unit // FINE + 1
    bounded = np.clip(q, -limit, limit) * np.int32(FINE)
    near = (np.abs(bounded) + unit // 2) // unit
    return np.minimum(near, OTHER_CAP) * np.sign(q)


def neighbours(a: np.ndarray, grid: Grid) -> list[np.ndarray]:
    """Sums over the two neighbours across, the two down and the four diagonal ones: three arrays
    over the core.
    """
    s, n = grid.stride, grid.cells
    pair = a[..., :-2] + a[..., 2:]  # pair[i] stands around cell i + 1
    across = pair[..., s : n - s - 2]
    down = a[..., 1 : n - 2 * s - 1] + a[..., 2 * s + 1 : n - 1]
    diagonal = pair[..., : n - 2 * s - 2] + pair[..., 2 * s : n - 2]
    return [across, down, diagonal]


def ring(a: np.ndarray, grid: Grid) -> np.ndarray:
    """Twice the four nearest neighbours and once the diagonal ones, over the core."""
    across, down, diagonal = neighbours(a, grid)
    return (across + down) * np.int32(2) + diagonal


def sum_weighted(arrays: list[np.ndarray], weights: tuple[int, ...]) -> np.ndarray:
    """The weighted sum; terms without weight cost nothing."""
    terms = [a * np.int32(w) for a, w in zip(arrays, weights, strict=True) if w]
    total = terms[0]
    for term in terms[1:]:
        total += term
    return total
