"""What is known of a picture so far, to what a network looks at for every digit of the next pass.

Integers only. Values of other bands are *seen from* the plane of the pass, in quarters of its
step, within +-`CAP`; sums of their magnitudes over neighbourhoods of growing size, in the band
itself, its parent, its sisters of other orientation, its children and the other channels, say how
much happens here; signed differences say in which direction. All go through `lg`, so that small
values are told apart finely and large ones coarsely.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tokcodec.model import FEATURES
from tokcodec.prior.maps import CAP, FINE, box, clipped, extend, lg, mean, signed_lg
from tokcodec.prior.relatives import KEPT, family_of
from tokcodec.prior.view import View
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.layout import DIAGONAL, DOWN, LOW, Grid
from tokcodec.tokens.order import Pass

FAR = 1 << 20  # a coefficient beyond so many steps counts as that
DEEPEST = 8  # levels to the finest beyond this count as this

# The features of a digit by their places (docs/FORMAT.md, "The network", tells what each is).
# Magnitudes: how much happens here, in the band itself,
ALONG, BESIDE, CORNERS, NEAR, FAR_OFF, OWN, OWN_MEAN = range(7)
# above it,
PARENT, AROUND_PARENT, NEAR_PARENT, GRANDPARENT = range(7, 11)
# and in its sisters and the other channels: two numbers of each, the cell's and that around it;
SISTERS, CHANNELS = 11, 15
CHILDREN, PARENT_MEAN, CHANNEL_MEAN, SISTER_MEAN, LEAN = range(19, 24)
# signed ones, which `mirror` turns round: those along, beside and at the corners, the parent, two
# channels, how high in the picture, and a constant;
DIFFERENCES, PARENT_VALUE, CHANNEL_VALUES, HEIGHT, BIAS = 24, 27, 28, 30, 31
# and others, which it does not: whether the coefficient is still zero, and where it lies.
FRESH, DEPTH, ASIDE = 32, 33, 34
SURROUNDINGS = ASIDE + 1
# What neighbours are multiplied with so that each kind counts as four: two along, two beside, four
# at the corners.
_PAIRS = np.array([[2], [2], [1]], np.int32)


class Seen(NamedTuple):
    """What the network is told of n digits."""

    features: np.ndarray  # int16 (*lead, FEATURES, n)
    mirror: np.ndarray  # int8 (*lead, n): +-1, the direction that counts as positive


class Surroundings:
    """The first `SURROUNDINGS` features of the digits of each pass. What is known of other bands is
    kept for as long as it stays the same.
    """

    def __init__(self, known: Knowledge) -> None:
        self.known = known
        self._family = family_of(known.order)
        self._views: dict[int, tuple[tuple[int, int], dict[int, View]]] = {}  # by band and plane
        self._unit: tuple[int, int] = (-1, -1)
        self._elsewhere: np.ndarray = np.zeros((0, 0), np.int16)

    def look(self, step: Pass) -> Seen:
        """The features of a pass. Its array has room for all `FEATURES`; those from `SURROUNDINGS`
        on are left for the caller to fill in.
        """
        known = self.known
        known.begin(step)
        if self._unit != (step.band, step.plane):
            self._unit = step.band, step.plane
            self._elsewhere = self._look_elsewhere(step)
        features = np.empty((*known.lead, FEATURES, step.digits), np.int16)
        half = known.order.places(step).half
        features[..., :SURROUNDINGS, :] = self._elsewhere[..., half]
        towards = features[..., CHANNEL_VALUES, :] + features[..., CHANNEL_VALUES + 1, :]
        if known.lit(step.band):
            towards = self._look_here(step, features, towards)
        mirror = (towards >> 31 | 1).astype(np.int8)  # -1 where it is negative
        features[..., DIFFERENCES : BIAS + 1, :] *= mirror[..., None, :]
        return Seen(features, mirror)

    def _look_here(self, step: Pass, features: np.ndarray, towards: np.ndarray) -> np.ndarray:
        """Fill in the features of the band itself.

        Returns:
            The direction in which each digit is expected, by the sign of the first of these that
            is not zero: the cell's own value, the lean of its neighbours, `towards`.
        """
        order, orientation = self.known.order, self.known.order.bands[step.band].orientation
        places = order.places(step)
        grid, cells = places.grid, places.cells
        both = _sizes_and_values(self.known.q[step.band], grid, orientation)
        whole = both.reshape(*both.shape[:-2], 2 * grid.cells)
        around = whole.take(cells + _around(grid.stride, grid.cells, orientation), axis=-1)
        sums, own = _sums(around, orientation), around[..., 8, 1, :]
        logs, lean = signed_lg(sums), sums[..., 3, 1, :]
        features[..., ALONG:NEAR, :] = logs[..., :3, 0, :]
        features[..., OWN, :] = logs[..., 3, 0, :]
        features[..., DIFFERENCES:PARENT_VALUE, :] = logs[..., :3, 1, :]
        np.abs(logs[..., 3, 1, :], out=features[..., LEAN, :])
        sizes = both[..., 0, :]
        near = box(box(sizes, grid), grid)
        far = box(box(near, grid), grid).take(cells, axis=-1)
        features[..., NEAR, :] = lg(near.take(cells, axis=-1))
        features[..., FAR_OFF, :] = lg(far // np.int32(81))
        features[..., OWN_MEAN, :] = mean(sizes, grid)[..., None]
        features[..., FRESH, :] = (own == 0).view(np.int8) * np.int8(64)
        return np.where(own, own, np.where(lean, lean, towards))

    def _look_elsewhere(self, step: Pass) -> np.ndarray:
        """All features of a unit's cells, in coding order, but those of the band itself: int16
        (*lead, SURROUNDINGS, cells).
        """
        order, plane, near = self.known.order, step.plane, self._family.relatives[step.band]
        band, grid, there = (
            order.bands[step.band],
            order.grid(step.band),
            self._family.geometry(step.band),
        )
        out = np.zeros((*self.known.lead, SURROUNDINGS, len(grid.visit)), np.int16)
        out[..., HEIGHT, :], out[..., ASIDE, :] = there.height, there.aside
        out[..., BIAS : FRESH + 1, :] = 64
        out[..., DEPTH, :] = 8 * min(DEEPEST, order.bands[-1].level - band.level)
        self._look_up(near.parent, there.parent, plane, out)
        for number, i in enumerate(near.sisters):
            view, at = self._view(i, plane), SISTERS + 2 * number
            if view is not None:
                told, cells = view.told[..., :2, :], there.sisters[number]
                out[..., at : at + 2, :] = told.take(cells, axis=-1) if len(cells) else told
                if number == 0:
                    out[..., SISTER_MEAN, :] = view.mean[..., None]
        for number, i in enumerate(near.channels):
            view, at = self._view(i, plane), CHANNELS + 2 * number
            if view is not None:
                out[..., at : at + 2, :] = view.told[..., :2, :]
                out[..., CHANNEL_VALUES + number, :] = view.told[..., 2, :]
                if number == 0:
                    out[..., CHANNEL_MEAN, :] = view.mean[..., None]
        children = self._view(near.child, plane)
        if children is not None:
            out[..., CHILDREN, :] = children.folded(grid, order.bands[near.child])
        return out

    def _look_up(self, parent: int, cells: np.ndarray, plane: int, out: np.ndarray) -> None:
        """Fill in the features of the parent, where `cells` lie below it, and the grandparent."""
        view = self._view(parent, plane)
        if view is None:
            return
        told = view.told.take(cells, axis=-1)
        out[..., PARENT:NEAR_PARENT, :] = told[..., :2, :]
        out[..., NEAR_PARENT, :] = view.wider.take(cells, axis=-1)
        out[..., PARENT_VALUE, :] = told[..., 2, :]
        out[..., PARENT_MEAN, :] = view.mean[..., None]
        view = self._view(self._family.relatives[parent].parent, plane)
        if view is not None:
            cells = self._family.geometry(parent).parent.take(cells)
            out[..., GRANDPARENT, :] = view.told[..., 1, :].take(cells, axis=-1)

    def _view(self, band: int, plane: int) -> View | None:
        """A band seen from `plane`; None if there is none, or all of it is zero."""
        known = self.known
        if not known.lit(band):
            return None
        now = known.plane[band], known.seen(band)
        kept = self._views.get(band)
        if kept is None or kept[0] != now:
            kept = self._views[band] = now, {}
        view = kept[1].get(plane)
        if view is None:
            grid = known.order.grid(band)
            view = View(known.q[band], grid, plane - known.plane[band])
            if grid.cells <= KEPT:
                kept[1][plane] = view
        return view


def _sizes_and_values(q: np.ndarray, grid: Grid, orientation: int) -> np.ndarray:
    """Two maps of a band, int32 (*lead, 2, grid.cells): magnitudes in quarters of a step, within
    `CAP`, and values in steps.
    """
    both = np.empty((*q.shape[:-1], 2, grid.cells), np.int32)
    sizes, values = both[..., 0, :], both[..., 1, :]
    np.minimum(np.abs(q), np.int32(CAP // FINE), out=sizes)
    sizes *= np.int32(FINE)
    clipped(q, FAR, out=values)
    if orientation == LOW:  # no detail: beyond the edge the picture goes on as it is
        extend(values, grid)
    return both


@lru_cache(maxsize=256)
def _around(stride: int, cells: int, orientation: int) -> np.ndarray:
    """What to add to a cell for its neighbours and itself, in two maps of so many cells that lie
    one after the other: int (9, 2, 1). One of each pair along, beside and at the corners, of
    which there are two; the other of each; the cell.
    """
    along, beside = (stride, 1) if orientation == DOWN else (1, stride)
    one = np.array([along, beside, stride + 1, stride - 1], np.intp)
    there = np.concatenate([one, -one, np.zeros(1, np.intp)])
    return there[:, None, None] + np.array([0, cells], np.intp)[:, None]


def _sums(around: np.ndarray, orientation: int) -> np.ndarray:
    """What `_around` finds to (*lead, 4, 2, n): sums of magnitudes along, beside and at the
    corners, and the cell's own; how far the values there differ from its own, and where they pull.
    """
    sums = around[..., :4, :, :] + around[..., 4:8, :, :]
    sums[..., 2, :, :] += sums[..., 3, :, :]
    sums[..., 3, 0, :] = around[..., 8, 0, :]
    differences = sums[..., :3, 1, :] * _PAIRS
    differences -= (around[..., 8, 1, :] * np.int32(FINE))[..., None, :]
    sums[..., :3, 1, :] = clipped(differences, 8 * CAP, out=differences)
    sums[..., 3, 1, :] = _lean(orientation, differences[..., 0, :], differences[..., 1, :])
    return sums


def _lean(orientation: int, along: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Where the neighbours pull: towards them in the low band and along an edge, away from them
    across it.
    """
    if orientation == LOW:
        return along + beside
    return -along - beside if orientation == DIAGONAL else 2 * beside - along
