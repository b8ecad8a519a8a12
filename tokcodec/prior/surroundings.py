"""What is known of a picture so far, to what a network looks at for every digit of the next pass.

Integers only. Values of other bands are *seen from* the plane of the pass, in quarters of its
step, within +-`CAP`; sums of their magnitudes over neighbourhoods of growing size, in the band
itself, its parent, its sisters of other orientation, its children and the other channels, say how
much happens here; signed differences say in which direction. All go through `lg`, so that small
values are told apart finely and large ones coarsely.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tokcodec.model import FEATURES
from tokcodec.prior.knowledge import Knowledge
from tokcodec.prior.maps import (
    CAP,
    FINE,
    around,
    bordered,
    box,
    clipped,
    extended,
    inner,
    lg,
    mean,
    seen_from,
    signed_lg,
)  # fmt: skip
from tokcodec.tokens.layout import ACROSS, DIAGONAL, DOWN, LOW, Band
from tokcodec.tokens.order import Pass

FAR = 1 << 20  # a coefficient beyond so many steps counts as that
_FINE = np.int32(FINE)
DEEPEST = 8  # levels to the finest beyond this count as this
SISTERS = {
    LOW: (-1, -1), ACROSS: (DOWN, DIAGONAL), DOWN: (ACROSS, DIAGONAL), DIAGONAL: (ACROSS, DOWN),
}  # fmt: skip
OTHERS = ((1, 2), (0, 2), (0, 1))  # the other channels of each

# Kinds of features, in order.
MAGNITUDES = (
    "along", "beside", "corners", "near", "far", "own", "own mean",
    "parent", "around the parent", "near the parent", "around the grandparent",
    "first sister", "around it", "second sister", "around it",
    "first channel", "around it", "second channel", "around it",
    "children", "parent's mean", "channel's mean", "sister's mean", "lean",
)  # fmt: skip
SIGNED = (
    "along",
    "beside",
    "corners",
    "parent",
    "first channel",
    "second channel",
    "height",
    "bias",
)
CONSTANT = ("fresh", "depth", "aside")
OWN, OWN_SIGNED = 7, 3  # so many are of the band itself
LEAN = len(MAGNITUDES) - 1
HEIGHT = LEAN + len(SIGNED) - 1
FRESH, DEPTH, ASIDE = HEIGHT + 2, HEIGHT + 3, HEIGHT + 4
SURROUNDINGS = len(MAGNITUDES) + len(SIGNED) + len(CONSTANT)


class Seen(NamedTuple):
    """What the network is told of n digits."""

    features: np.ndarray  # int16 (*lead, n, FEATURES)
    mirror: np.ndarray  # int8 (*lead, n): +-1, the direction that counts as positive


class Surroundings:
    """Looks around in what is known; keeps what the two passes of a unit share."""

    def __init__(self, known: Knowledge) -> None:
        self.known = known
        order = known.order
        self._index = {(b.channel, b.level, b.orientation): i for i, b in enumerate(order.bands)}
        self._where: dict[tuple[int, int], np.ndarray] = {}  # by band and parity
        self._unit: tuple[int, int] = (-1, -1)
        self._elsewhere: np.ndarray = np.zeros((0, 0), np.int16)

    def look(self, step: Pass) -> Seen:
        """The first `SURROUNDINGS` features of a pass; the others are left as zeros."""
        known, order = self.known, self.known.order
        q = known.begin(step)
        band = order.bands[step.band]
        if self._unit != (step.band, step.plane):
            self._unit = step.band, step.plane
            self._elsewhere = self._look_elsewhere(step, band)
        places, cells = order.places(step), order.grid(step.band).passes[step.parity]
        shape: tuple[int, ...] = (*known.lead, step.digits)
        out: np.ndarray = np.zeros((*shape, FEATURES), np.int16)
        there = self._elsewhere
        there = there.take(cells, axis=-2) if there.shape[-2] > 1 else there
        out[..., OWN:LEAN] = there[..., : LEAN - OWN]
        signed = out[..., LEAN + 1 : HEIGHT + 2]
        signed[..., OWN_SIGNED:-2] = there[..., LEAN - OWN :]
        mirror = np.sign(there[..., -1] + there[..., -2])
        out[..., FRESH] = 64
        if known.lit(step.band):
            here = self._here(self._square(step.band), band).take(cells, axis=-2)
            out[..., :OWN] = lg(here[..., :OWN])
            lean = _lean(band.orientation, here[..., OWN], here[..., OWN + 1])
            out[..., LEAN] = lg(np.abs(lean))
            signed[..., :OWN_SIGNED] = signed_lg(here[..., OWN:])
            own = q.take(places.cells, axis=-1)
            out[..., FRESH] *= own == 0
            mirror = np.where(own != 0, np.sign(own), np.where(lean != 0, np.sign(lean), mirror))
        mirror = np.where(mirror == 0, 1, mirror).astype(np.int8)
        mirror = mirror if mirror.shape == shape else np.broadcast_to(mirror, shape)
        where = self._where.get((step.band, step.parity))
        if where is None:
            where = self._where[step.band, step.parity] = _where(band, cells)
        signed[..., -2] = where[0]
        signed[..., -1] = 64
        signed *= mirror[..., None]
        out[..., DEPTH] = 8 * min(DEEPEST, order.bands[-1].level - band.level)
        out[..., ASIDE] = where[1]
        return Seen(out, mirror)

    def _here(self, whole: np.ndarray, band: Band) -> np.ndarray:
        """Of the band itself: seven magnitudes and three differences to the cell's own value,
        (*lead, cells, 10).
        """
        small = np.abs(clipped(whole, CAP // FINE)) * _FINE
        near = box(bordered(box(small)))
        far = box(bordered(box(bordered(near)))) // np.int32(81)
        own = inner(small)
        across, down, corners = around(small)
        value = clipped(whole, FAR)
        if band.orientation == LOW:  # no detail: beyond the edge the picture goes on as it is
            value = extended(value)
        sums = around(value)
        if band.orientation == DOWN:
            across, down = down, across
            sums = sums[1], sums[0], sums[2]
        centre = inner(value) * _FINE
        differences = [
            clipped(s * np.int32(n) - centre, 8 * CAP) for s, n in zip(sums, (2, 2, 1), strict=True)
        ]
        maps = across, down, corners, near, far, own, mean(own), *differences
        return _stacked(maps, self.known.lead, band)

    def _look_elsewhere(self, step: Pass, band: Band) -> np.ndarray:
        """Of the other bands, int16 (*lead, cells, LEAN - OWN + 3), magnitudes and then directions;
        one cell instead of all if they are all zero.
        """
        plane = step.plane
        magnitudes, directions = self._upwards(band, plane)
        for orientation in SISTERS[band.orientation]:
            i = self._index.get((band.channel, band.level, orientation), -1)
            for found in _pair(self._seen(i, plane)):
                magnitudes.append(None if found is None else _fitted(found, band))
        for channel in OTHERS[band.channel]:
            i = self._index.get((channel, band.level, band.orientation), -1)
            seen = self._seen(i, plane)
            magnitudes += _pair(seen)
            directions.append(None if seen is None else inner(seen))
        magnitudes.append(self._children(band, plane))
        sister = SISTERS[band.orientation][0]
        for i in (
            -1 if band.parent is None else band.parent,
            self._index.get((0 if band.channel else 1, band.level, band.orientation), -1),
            self._index.get((band.channel, band.level, sister), -1),
        ):
            seen = self._seen(i, plane)
            magnitudes.append(None if seen is None else mean(inner(np.abs(seen))))
        found = _stacked((*magnitudes, *directions), self.known.lead, band)
        return signed_lg(found)

    def _upwards(self, band: Band, plane: int) -> tuple[list[_Map], list[_Map]]:
        """Of parent and grandparent: four magnitudes, one direction."""
        bands = self.known.order.bands
        seen = None if band.parent is None else self._seen(band.parent, plane)
        if seen is None:
            return [None] * 4, [None]
        parent = bands[band.parent]  # type: ignore[index]
        rows, columns = _above(band, parent)
        size = np.abs(seen)
        sums = box(size)
        maps = [inner(size), sums, box(bordered(sums))]
        found: list[_Map] = [m[..., rows[:, None], columns] for m in maps]
        above = None if parent.parent is None else self._seen(parent.parent, plane)
        if above is None:
            found.append(None)
        else:
            up, left = _above(parent, bands[parent.parent])  # type: ignore[index]
            found.append(box(np.abs(above))[..., up[rows][:, None], left[columns]])
        return found, [inner(seen)[..., rows[:, None], columns]]

    def _children(self, band: Band, plane: int) -> _Map:
        """Sum over the cells below, in the band one level finer; four of them, or two that count
        twice.
        """
        i = self._index.get((band.channel, band.level + 1, band.orientation), -1)
        seen = self._seen(i, plane) if band.level else None
        if seen is None:
            return None
        child = self.known.order.bands[i]
        down, right = 1 << child.parent_rows, 1 << child.parent_cols
        height, width = band.height * down, band.width * right
        size = np.abs(inner(seen))[..., :height, :width]
        whole = np.zeros((*size.shape[:-2], height, width), np.int32)
        whole[..., : size.shape[-2], : size.shape[-1]] = size
        folded = whole.reshape(*size.shape[:-2], band.height, down, band.width, right)
        return folded.sum((-3, -1)) * np.int32(4 // (down * right))

    def _square(self, band: int) -> np.ndarray:
        """Coefficients (*lead, height + 2, width + 2) of a band."""
        q, b = self.known.q[band], self.known.order.bands[band]
        return q.reshape(*q.shape[:-1], b.height + 2, b.width + 2)

    def _seen(self, band: int, plane: int) -> np.ndarray | None:
        """The same, seen from `plane`; None if all are zero."""
        if not self.known.lit(band):
            return None
        return seen_from(self._square(band), plane - self.known.plane[band])


_Map = np.ndarray | None  # (*lead, height, width) or (*lead, 1, 1); None: zero everywhere


def _lean(orientation: int, along: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Where the neighbours pull: towards them in the low band and along an edge, away from them
    across it.
    """
    if orientation == LOW:
        return along + beside
    return -along - beside if orientation == DIAGONAL else 2 * beside - along


def _where(band: Band, cells: np.ndarray) -> np.ndarray:
    """How far cells lie above the middle, +-64 at most, as skies are bright, and how far from the
    middle column, 0..64, as what is photographed is mostly there: int16 (2, cells).
    """
    y, x = np.divmod(cells, np.int32(band.width))
    above = 64 - 64 * (2 * y + 1) // band.height
    aside = 64 * np.abs(2 * x + 1 - band.width) // band.width
    return np.stack([above, aside]).astype(np.int16)


def _stacked(maps: Sequence[_Map], lead: tuple[int, ...], band: Band) -> np.ndarray:
    """Maps side by side: int32 (*lead, cells, maps); a single cell if there are none."""
    if all(m is None for m in maps):
        return np.zeros((*lead, 1, len(maps)), np.int32)
    out = np.zeros((*lead, band.height, band.width, len(maps)), np.int32)
    for i, values in enumerate(maps):
        if values is not None:
            out[..., i] = values
    return out.reshape(*lead, band.height * band.width, len(maps))


def _pair(seen: np.ndarray | None) -> list[_Map]:
    """Magnitudes, and their sums over 3 x 3 cells."""
    if seen is None:
        return [None, None]
    size = np.abs(seen)
    return [inner(size), box(size)]


def _fitted(values: np.ndarray, band: Band) -> np.ndarray:
    """A sister's map over this band's cells: odd sizes leave one of them a row or column short."""
    height, width = values.shape[-2:]
    if (height, width) == (band.height, band.width):
        return values
    rows = np.minimum(np.arange(band.height), height - 1)
    columns = np.minimum(np.arange(band.width), width - 1)
    return values[..., rows[:, None], columns]


def _above(band: Band, parent: Band) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the parent's cells, for each row and column of the band."""
    rows = np.minimum(np.arange(band.height) >> band.parent_rows, parent.height - 1)
    columns = np.minimum(np.arange(band.width) >> band.parent_cols, parent.width - 1)
    return rows, columns
