"""Digits to better ones, step by step: error measured in the picture, bits by the prior.

Coefficients are moved by one step of their last plane where that lowers error + price * bits. What
a move does to the squared error follows from the error's slope along the coefficient and the norm
of its basis function. What it costs is estimated from the prices where it stands; then many moves
that do not touch each other are made, the prior is asked again, and the changes of all digits
around a move are counted to it. Moves that do not pay are taken back.
"""

from __future__ import annotations

import numpy as np

from tokcodec.effort.adjoint import norms, project
from tokcodec.effort.draft import Draft, drawn, paid
from tokcodec.effort.moves import Cells, Moves, Neighbourhoods, moved

DIRECTIONS = (-1, 1)
SLACK = 2.0  # bits by which an estimate may be wrong: moves that seem to lose less are tried
REST = 12  # rounds for which a move that did not pay is not tried again
MOST = 1 << 15  # moves looked at in a round, best first


class Descent:
    """A draft on its way down.

    Attributes:
        draft: the digits by now.
        error: squared error of the planes that they stand for, in units of 8-bit RGB.
        bits: ideal length of their code.
    """

    def __init__(self, draft: Draft, planes: np.ndarray) -> None:
        """`planes`: the picture, float32 (channels, height, width)."""
        order = draft.order
        self._planes, self._around = planes, Neighbourhoods(order)
        self._weights = norms(order.height, order.width)
        sizes = [b.height * b.width for b in order.bands]
        self._start = np.cumsum([0, *sizes])[:-1]  # of each band in the next array
        self._until = np.zeros((2, sum(sizes)), np.int16)  # last round of rest, by direction
        self._round = 0
        self.go_on(draft)

    def go_on(self, draft: Draft) -> None:
        """Take up another draft of the same picture."""
        self.draft = draft
        known, self._asked = draft.read()
        self._paid = paid(self._asked, draft.digits)
        self._look(drawn(known))

    def _look(self, seen: np.ndarray) -> None:
        self._residual = self._planes - seen
        self.error = float(np.square(self._residual).sum(dtype=np.float64))
        self.bits = float(sum(p.sum(dtype=np.float64) for p in self._paid))

    def round(self, price: float) -> bool:
        """Make the best moves for a bit's worth of squared error; False if none are left to try."""
        self._round += 1
        moves = self._promising(price)
        moves = moves.take(self._around.apart(moves))
        if not len(moves.band):
            return False
        draft = moved(self.draft, moves)
        _, asked = draft.read()
        after = paid(asked, draft.digits)
        owners = [
            self._around.owners(step)[: len(new)]
            for step, new in zip(draft.passes, after, strict=True)
        ]
        change = np.concatenate(after) - np.concatenate(self._paid)
        bits = np.bincount(np.concatenate(owners), change, minlength=len(moves.band) + 1)[1:]
        good = moves.error + price * bits < 0
        self._rest(moves.take(~good))
        if good.any():
            self._keep(moves.take(good), np.append(True, good), owners, asked)
        return True

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
        self._look(drawn(self.draft.known()))

    def _promising(self, price: float) -> Moves:
        """Moves that may pay, best first."""
        cells = Cells.of(self.draft, self._asked)
        slopes, weights = self._about(cells)
        found = []
        for direction in DIRECTIONS:
            error = cells.errors(direction, slopes, weights)
            gain = -error - np.float32(price) * cells.bits(direction)
            at = np.flatnonzero(gain > -SLACK * price)
            found.append((
                cells.band[at], cells.at[at], np.full(len(at), direction), error[at], gain[at]
            ))  # fmt: skip
        moves = Moves(*(np.concatenate(column) for column in zip(*found, strict=True)))
        moves = moves.take(self._awake(moves))
        return moves.take(np.argsort(-moves.gain, kind="stable")[:MOST])

    def _about(self, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
        """Slopes and squared norms of cells."""
        order, by_band = self.draft.order, project(self._residual)
        each = len(order.bands) // order.channels
        slopes, weights = np.empty((2, len(cells.at)), np.float32)
        starts = np.flatnonzero(np.diff(cells.band, prepend=-1))
        for start, end in zip(starts, [*starts[1:], len(cells.at)], strict=True):
            band = int(cells.band[start])
            slope = by_band[band % each][order.bands[band].channel]
            at = cells.at[start:end]
            slopes[start:end] = slope.ravel().take(at)
            weights[start:end] = self._weights[band % each].ravel().take(at)
        return slopes, weights

    def _awake(self, moves: Moves) -> np.ndarray:
        """Which moves do not rest."""
        sides = (moves.direction > 0).astype(np.int64)
        return self._until[sides, self._start[moves.band] + moves.cell] < self._round

    def _rest(self, moves: Moves) -> None:
        sides = (moves.direction > 0).astype(np.int64)
        self._until[sides, self._start[moves.band] + moves.cell] = self._round + REST
