"""One step of the descent: what a move does is what was reckoned."""

from __future__ import annotations

import numpy as np
import pytest

import tokcodec
from tokcodec.effort.adjoint import norms, project
from tokcodec.effort.descent import Descent
from tokcodec.effort.draft import Draft, drawn
from tokcodec.effort.moves import Cells, Moves, Neighbourhoods, moved
from tokcodec.effort.rdoq import quantise
from tokcodec.effort.view import Linear
from tokcodec.pixels import colour
from tokcodec.tokens.order import order_for
from tokcodec.tokens.transform import analyse


@pytest.fixture(scope="module")
def planes(photograph):
    return colour.to_planes(photograph("coffee", 50, 37), grey=False)


@pytest.fixture(scope="module")
def draft(planes) -> Draft:
    order = order_for(tokcodec.load("pyramid").model, 37, 50, 3)
    return quantise(order, analyse(planes), norms(37, 50) * 3, 0.0, bits=1500, count=order.digits)


def move(band: int, cell: int, direction: int) -> Moves:
    return Moves(*(np.array([v]) for v in (band, cell, direction, 0.0, 0.0, 0.0)))


def test_quantising_keeps_to_its_limits(planes, draft):
    order, weights = draft.order, norms(37, 50) * 3
    for bits, count in ((300.0, 10**6), (1e9, 777), (0.0, 10)):
        found = quantise(order, analyse(planes), weights, 50.0, bits=bits, count=count)
        n = sum(map(len, found.digits))
        assert n == 777 if count == 777 else n <= count
        if n:
            assert Descent(found, planes, Linear()).bits <= bits


def test_moves_change_integers_by_one_and_errors_as_reckoned(planes, draft):
    residual = planes - drawn(draft.known())
    slopes, weights = project(residual), norms(37, 50)
    _, asked = draft.priced()
    cells = Cells.of(draft, asked)
    before = float(np.square(residual).sum(dtype=np.float64))
    each = len(draft.order.bands) // 3
    for place in np.random.default_rng(5).integers(0, len(cells.at), 40):
        band, cell = int(cells.band[place]), int(cells.at[place])
        channel = draft.order.bands[band].channel
        slope = np.array([s[channel].ravel()[cell] for s in (slopes[band % each],)], np.float32)
        weight = np.array([weights[band % each].ravel()[cell]], np.float32)
        for direction in (-1, 1):
            one = Cells(*(column[place : place + 1] for column in cells))
            (expected,) = one.errors(direction, slope, weight)
            if np.isinf(expected):
                continue
            after = moved(draft, move(band, cell, direction))
            found = Cells.of(after, asked)
            assert found.q[place] - cells.q[place] == direction
            assert np.count_nonzero(found.q - cells.q) == 1
            error = np.square(planes - drawn(after.known())).sum(dtype=np.float64)
            assert float(error) - before == pytest.approx(float(expected), rel=0.02, abs=2.0)


def test_moves_apart_account_for_every_bit(planes, draft):
    descent = Descent(draft, planes, Linear())
    around = Neighbourhoods(draft.order)
    n = 60
    rng = np.random.default_rng(2)
    cells = Cells.of(draft, draft.priced()[1])
    at = rng.permutation(np.flatnonzero(np.abs(cells.q) == 1))[:n]
    moves = Moves(cells.band[at], cells.at[at], -cells.q[at], *np.zeros((3, n)))
    moves = moves.take(around.apart(moves))
    assert 5 < len(moves.band) < n
    after = Descent(moved(draft, moves), planes, Linear())
    alone = [
        Descent(moved(draft, moves.take(np.array([i]))), planes, Linear()).bits - descent.bits
        for i in range(len(moves.band))
    ]
    assert after.bits - descent.bits == pytest.approx(sum(alone), abs=0.01)


def test_a_descent_goes_down(planes, draft):
    descent, price = Descent(draft, planes, Linear()), draft.worth
    costs = [descent.error + price * descent.bits]
    for _ in range(12):
        if not descent.round(price):
            break
        costs.append(descent.error + price * descent.bits)
    assert costs[-1] < 0.97 * costs[0]
    assert np.mean(np.diff(costs) <= 0) > 0.8
    fresh = Descent(descent.draft, planes, Linear())
    assert (fresh.error, fresh.bits) == pytest.approx((descent.error, descent.bits), rel=1e-6)
