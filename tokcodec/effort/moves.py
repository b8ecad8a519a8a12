"""Moves of coefficients by one step of the latest plane that is sent of them: which there are,
which can be tried at once, and what becomes of the digits.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from tokcodec.effort.draft import Draft
from tokcodec.tokens.order import Order, Pass
from tokcodec.tokens.reconstruction import CENTROID_UNIT, centred, centroids

FRESH, AGED = 4.0, 1.6  # about the bits of a first digit that is not zero, and of one that refines
FAR = 3.0  # bits guessed for a move that changes three planes or more


class Cells(NamedTuple):
    """All cells of which a digit is sent, one an entry. The latest plane of a cell is that of the
    last digit sent of it.

    Attributes:
        band, at: where; `at` is y * width + x.
        q: their integers, in steps of the latest plane.
        limit: the largest magnitude that their digits can make.
        first, later, step: what they stand for, see `reconstruction.centred`.
        digit, above: their digits of the latest plane and of the one before.
        asked, asked_above: prices (n, 3) of those, in bits, for -1, 0 and +1.
    """

    band: np.ndarray
    at: np.ndarray
    q: np.ndarray
    limit: np.ndarray
    first: np.ndarray
    later: np.ndarray
    step: np.ndarray
    digit: np.ndarray
    above: np.ndarray
    asked: np.ndarray
    asked_above: np.ndarray

    @classmethod
    def of(cls, draft: Draft, asked: list[np.ndarray]) -> Cells:
        """The cells of a draft whose prices are `asked`."""
        lines: dict[tuple[int, int], list[tuple[np.ndarray, np.ndarray]]] = defaultdict(list)
        for step, digits, prices in zip(draft.passes, draft.digits, asked, strict=True):
            lines[step.band, step.parity].append((digits, prices))
        groups = []
        for (band, parity), planes in lines.items():
            at = draft.order.grid(band).passes[parity]
            seen = len(planes[-1][0])
            groups.append(_group(draft.order, band, at, planes, slice(0, seen)))
            if seen < len(at) and len(planes) > 1:
                groups.append(_group(draft.order, band, at, planes[:-1], slice(seen, None)))
        return cls(*(np.concatenate(column) for column in zip(*groups, strict=True)))

    def bits(self, direction: int) -> np.ndarray:
        """Bits that a move costs more, as far as the cells' own digits tell."""
        new, above = self.digit + direction, self.above + direction
        old = _pick(self.asked, self.digit)
        carried = _pick(self.asked_above, above) - _pick(self.asked_above, self.above)
        fresh = self.q - self.digit + 3 * direction == 0  # the digit after a carry is the first
        carried += np.where(fresh, np.float32(FRESH), np.float32(AGED)) - old
        carried[np.abs(above) > 1] = FAR
        return np.where(np.abs(new) > 1, carried, _pick(self.asked, new) - old)

    def changes(self, direction: int) -> np.ndarray:
        """What a move adds to the cells' coefficients."""
        change = centred(self.q + np.int32(direction), self.first, self.later, self.step)
        change -= centred(self.q, self.first, self.later, self.step)
        return change

    def errors(self, direction: int, slopes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """How a move changes the squared error of the picture; infinite where there is none.

        Args:
            slopes: inner products of the error that is left with the cells' basis functions.
            weights: squared norms of those.
        """
        change = self.changes(direction)
        errors = change * (weights * change - 2 * slopes)
        errors[np.abs(self.q + np.int32(direction)) > self.limit] = np.inf
        return errors


def _group(
    order: Order,
    band: int,
    at: np.ndarray,
    planes: list[tuple[np.ndarray, np.ndarray]],
    which: slice,
) -> tuple[np.ndarray, ...]:
    """The columns of `Cells` for cells `which` of one pass, with digits of all these planes."""
    at, model, b = at[which], order.model, order.bands[band]
    q, above = np.zeros((2, len(at)), np.int32)
    asked_above = np.zeros((len(at), 3), np.float32)
    for digits, _ in planes:
        q = 3 * q + digits[which]
    if len(planes) > 1:
        above, asked_above = (a[which] for a in planes[-2])
    digit, asked = (a[which] for a in planes[-1])
    first, later = (np.float32(c) * CENTROID_UNIT for c in centroids(model, b, len(planes) - 1))
    step = np.float32(model.step(b.channel, len(planes) - 1))
    same = (np.full(len(at), value) for value in (first, later, step))
    limit = np.full(len(at), (3 ** len(planes) - 1) // 2, np.int32)
    return (
        np.full(len(at), band), at, q, limit, *same,
        digit.astype(np.int32), above.astype(np.int32), asked, asked_above,
    )  # fmt: skip


def _pick(prices: np.ndarray, digits: np.ndarray) -> np.ndarray:
    """The price of each digit; of those that there are not, of the nearest."""
    at = np.minimum(np.maximum(digits + 1, 0), 2)
    at += np.arange(0, 3 * len(digits), 3)
    return prices.ravel().take(at)


class Moves(NamedTuple):
    """Moves, one an entry.

    Attributes:
        band, cell: of which coefficient; `cell` is y * width + x.
        direction: -1 or +1, in steps of its latest plane.
        change: what the move adds to the coefficient.
        error: what it adds to the squared error of the picture.
        gain: by how much it is estimated to lower error + price * bits.
    """

    band: np.ndarray
    cell: np.ndarray
    direction: np.ndarray
    change: np.ndarray
    error: np.ndarray
    gain: np.ndarray

    def take(self, at: np.ndarray) -> Moves:
        """Those at the places, or where a mask says so."""
        return Moves(*(column[at] for column in self))


def moved(draft: Draft, moves: Moves) -> Draft:
    """The draft after the moves."""
    order, digits = draft.order, list(draft.digits)
    numbers: dict[int, list[int]] = defaultdict(list)
    for number, step in enumerate(draft.passes):
        numbers[step.band].append(number)
    for band in np.unique(moves.band).tolist():
        mine = moves.band == band
        shift = np.zeros(order.bands[band].height * order.bands[band].width, np.int8)
        shift[moves.cell[mine]] = moves.direction[mine]
        for number in reversed(numbers[band]):  # carries go from the last plane up
            passes = order.grid(band).passes[order.passes[number].parity]
            cells = passes[: len(digits[number])]
            carry = shift[cells]
            if carry.any():
                value = digits[number] + carry
                up = (value > 1).astype(np.int8) - (value < -1).astype(np.int8)
                digits[number] = value - np.int8(3) * up
                shift[cells] = up
    return Draft(order, digits)


class Neighbourhoods:
    """Who touches whom: cells of one level within one cell of each other, whatever their direction
    or channel, and the cells one level finer that lie below those.
    """

    def __init__(self, order: Order) -> None:
        self.order = order
        depth = max(b.level for b in order.bands) + 1
        shapes = [(0, 0)] * depth
        self._below: list[tuple[int, int] | None] = [None] * depth
        for b in order.bands:
            h, w = shapes[b.level]
            shapes[b.level] = max(h, b.height), max(w, b.width)
            if b.parent is not None:
                self._below[b.level - 1] = b.parent_rows, b.parent_cols
        self._owner = [np.zeros(s, np.int32) for s in shapes]  # 1 + number of the move that touches
        self._places: dict[tuple[int, int], np.ndarray] = {}  # by band and parity

    def apart(self, moves: Moves) -> np.ndarray:
        """Which moves, the first ones preferred, do not touch each other."""
        for owner in self._owner:
            owner[:] = 0
        chosen: list[int] = []
        bands = self.order.bands
        places = zip(moves.band.tolist(), moves.cell.tolist(), strict=True)
        for i, (band, cell) in enumerate(places):
            level = bands[band].level
            y, x = divmod(cell, bands[band].width)
            top, left = max(0, y - 1), max(0, x - 1)
            around = self._owner[level][top : y + 2, left : x + 2]
            if around.any():
                continue
            below = self._below[level]
            if below is not None:
                r, c = below
                under = self._owner[level + 1][top << r : (y + 2) << r, left << c : (x + 2) << c]
                if under.any():
                    continue
                under[:] = len(chosen) + 1
            around[:] = len(chosen) + 1
            chosen.append(i)
        return np.array(chosen, np.int64)

    def owners(self, step: Pass) -> np.ndarray:
        """For the cells of a pass, 1 + the place in the last list of `apart` of the move that
        touches them, or 0.
        """
        b, key = self.order.bands[step.band], (step.band, step.parity)
        owner = self._owner[b.level]
        if key not in self._places:
            y, x = np.divmod(self.order.grid(step.band).passes[step.parity], np.int32(b.width))
            self._places[key] = y * np.int32(owner.shape[1]) + x
        return owner.ravel().take(self._places[key])
