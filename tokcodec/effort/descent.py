"""Digits to better ones, step by step: error measured in the picture, bits by the prior.

Coefficients are moved by one step of their last plane where that lowers error + price * bits. What
a move does to the squared error follows from the error's slope along the coefficient and the norm
of its basis function. What it costs is estimated from the prices where it stands; then many moves
that do not touch each other are made, the prior is asked again, and the changes of all digits
around a move are counted to it. Moves that do not pay are taken back.

Through a network the error is no parabola: there the slopes are taken again after the moves, and
what a move has done follows from both.
"""

from __future__ import annotations

import numpy as np

from tokcodec.effort.adjoint import norms
from tokcodec.effort.clipping import missing
from tokcodec.effort.draft import Draft, paid
from tokcodec.effort.moves import Cells, Moves, Neighbourhoods, moved
from tokcodec.effort.view import View
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Order

DIRECTIONS = (-1, 1)
SLACK = 2.0  # bits by which an estimate may be wrong: moves that seem to lose less are tried
REST = 12  # rounds for which a move that did not pay is not tried again (tabu search; Glover, 1986)
MAX_MOVES = 1 << 15  # moves looked at in a round, best first


class Descent:
    """A draft on its way down.

    Attributes:
        draft: the digits by now.
        error: squared error of the picture that they show, in units of 8-bit RGB, not rounded.
        bits: ideal length of their code.
    """

    def __init__(self, draft: Draft, planes: np.ndarray, view: View) -> None:
        """`planes`: the picture, float32 (channels, height, width); `view`: how it is drawn."""
        order = draft.order
        self._planes, self._view, self._around = planes, view, Neighbourhoods(order)
        self._weights = [w[None] for w in norms(order.height, order.width)]  # of any channel
        sizes = [b.height * b.width for b in order.bands]
        self._start = np.cumsum([0, *sizes])[:-1]  # of each band in the next array
        self._until = np.zeros((2, sum(sizes)), np.int16)  # last round of rest, by direction
        self._round = 0
        self.go_on(draft)

    def go_on(self, draft: Draft) -> None:
        """Take up another draft of the same picture."""
        self.draft = draft
        known, self._asked = draft.priced()
        self._paid = paid(self._asked, draft.digits)
        self._look(known)

    def _look(self, known: Knowledge) -> None:
        """Draw what the draft shows, and take its error and bits."""
        self._residual, self.error = missing(self._planes, self._view.draw(known))
        self._slopes: list[np.ndarray] | None = None  # until they are asked for
        self.bits = float(sum(p.sum(dtype=np.float64) for p in self._paid))

    def round(self, price: float) -> bool:
        """Make the best moves for a bit's worth of squared error; False if none are left to try."""
        self._round += 1
        moves = self._promising(price)
        moves = moves.take(self._around.apart(moves))
        if not len(moves.band):
            return False
        draft = moved(self.draft, moves)
        known, asked = draft.priced()
        after = paid(asked, draft.digits)
        owners = [
            self._around.owners(step)[: len(new)]
            for step, new in zip(draft.passes, after, strict=True)
        ]
        change = np.concatenate(after) - np.concatenate(self._paid)
        bits = np.bincount(np.concatenate(owners), change, minlength=len(moves.band) + 1)[1:]
        error = moves.error if self._view.straight else self._measured(moves, known)
        good = error + price * bits < 0
        self._rest(moves.take(~good))
        if good.any():
            self._keep(moves.take(good), np.append(True, good), owners, asked)
        return True

    def _measured(self, moves: Moves, known: Knowledge) -> np.ndarray:
        """What each move has done to the error, all having been made: from the mean of the slopes
        before and after (trapezoidal rule).
        """
        slopes = _pick(self.draft.order, self._sloping(), moves.band, moves.cell)
        left, _ = missing(self._planes, self._view.draw(known))
        after = self._view.project(left)
        slopes += _pick(self.draft.order, after, moves.band, moves.cell)
        return -slopes * moves.change

    def _sloping(self) -> list[np.ndarray]:
        """Slopes of the error along every coefficient, by band."""
        if self._slopes is None:
            self._slopes = self._view.project(self._residual)
        return self._slopes

    def _keep(
        self, moves: Moves, good: np.ndarray, owners: list[np.ndarray], asked: list[np.ndarray]
    ) -> None:
        """Make moves; prices are the new ones where they touch, and where nothing does."""
        self.draft = moved(self.draft, moves)
        for number, owner in enumerate(owners):
            changed = good[owner]
            if changed.all():
                self._asked[number] = asked[number]
            else:
                self._asked[number] = np.where(changed[:, None], asked[number], self._asked[number])
        self._paid = paid(self._asked, self.draft.digits)
        self._look(self.draft.known())

    def _promising(self, price: float) -> Moves:
        """Moves that may pay, best first."""
        cells = Cells.of(self.draft, self._asked)
        order = self.draft.order
        slopes = _pick(order, self._sloping(), cells.band, cells.at)
        weights = _pick(order, self._weights, cells.band, cells.at)
        found = []
        for direction in DIRECTIONS:
            error = cells.errors(direction, slopes, weights)
            gain = -error - np.float32(price) * cells.bits(direction)
            at = np.flatnonzero(gain > -SLACK * price)
            found.append((
                cells.band[at], cells.at[at], np.full(len(at), direction),
                cells.changes(direction)[at], error[at], gain[at],
            ))  # fmt: skip
        moves = Moves(*(np.concatenate(column) for column in zip(*found, strict=True)))
        moves = moves.take(self._awake(moves))
        return moves.take(np.argsort(-moves.gain, kind="stable")[:MAX_MOVES])

    def _awake(self, moves: Moves) -> np.ndarray:
        """Which moves may be tried: those that do not rest after having failed."""
        sides = (moves.direction > 0).astype(np.int64)
        return self._until[sides, self._start[moves.band] + moves.cell] < self._round

    def _rest(self, moves: Moves) -> None:
        """Do not try these moves for the next `REST` rounds."""
        sides = (moves.direction > 0).astype(np.int64)
        self._until[sides, self._start[moves.band] + moves.cell] = self._round + REST


def _pick(
    order: Order, by_band: list[np.ndarray], bands: np.ndarray, cells: np.ndarray
) -> np.ndarray:
    """Values (channels or one for all, h, w) of bands at cells, float32."""
    each = len(order.bands) // order.channels
    out = np.empty(len(cells), np.float32)
    for band in np.unique(bands).tolist():
        at = np.flatnonzero(bands == band)
        values = by_band[band % each]
        values = values[order.bands[band].channel if len(values) > 1 else 0]
        out[at] = values.ravel().take(cells[at])
    return out
