"""The prior of tables: frequencies that sum up, contexts that both ends can know."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.model import TOTAL
from tokcodec.prior.context import Contexts, rescaled
from tokcodec.prior.tables import pass_tables
from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.layout import bands
from tokcodec.tokens.order import Order

MODEL = shipped(DEFAULT)


def test_frequencies_are_positive_and_sum_to_two_to_the_24():
    for b in bands(600, 600, 3):
        for plane in range(9):
            for parity in (0, 1):
                f = pass_tables(MODEL, b.channel, b.level, b.orientation, plane, parity).frequencies
                assert (f > 0).all()
                assert (f.sum(1) == TOTAL).all()


@pytest.mark.parametrize("planes", range(-5, 6))
def test_rescaling_is_rounding_in_quarter_steps(planes):
    q = np.arange(-400, 401)
    exact = q * 4 * 3.0**planes
    expected = np.sign(exact) * np.minimum(24, np.floor(np.abs(exact) + 0.5))
    assert np.array_equal(rescaled(q.astype(np.int32), planes), expected)


@pytest.mark.parametrize("size", [(40, 56), (1, 1), (3, 1)])
def test_contexts_of_a_batch_are_those_of_its_pictures(size):
    order = Order(MODEL, *size, 3)
    rng = np.random.default_rng(2)
    together, alone = Knowledge(order, (3,)), [Knowledge(order) for _ in range(3)]
    for step in order.passes[:150]:
        b = order.bands[step.band]
        tables = pass_tables(MODEL, b.channel, b.level, b.orientation, step.plane, step.parity)
        rows = Contexts(together).contexts(step, tables)
        assert rows.shape == (3, step.digits)
        digits = rng.choice([-1, 0, 0, 0, 1], (3, step.digits)).astype(np.int8)
        for i, known in enumerate(alone):
            assert np.array_equal(Contexts(known).contexts(step, tables), rows[i])
            known.add(step, digits[i])
        together.add(step, digits)


def test_mirrored_pictures_have_mirrored_frequencies():
    """With all digits negated, -1 and +1 change places: no sign is favoured without a reason."""
    order = Order(MODEL, 64, 64, 1)
    rng = np.random.default_rng(4)
    one, other = Knowledge(order), Knowledge(order)
    differences = []
    for step in order.passes[:60]:
        b = order.bands[step.band]
        tables = pass_tables(MODEL, b.channel, b.level, b.orientation, step.plane, step.parity)
        f = tables.frequencies[Contexts(one).contexts(step, tables)]
        g = tables.frequencies[Contexts(other).contexts(step, tables)][:, ::-1]
        differences.append(np.abs(f - g).ravel())  # sums are rounded downward: a few differ
        digits = rng.choice([-1, 0, 0, 1], step.digits).astype(np.int8)
        one.add(step, digits)
        other.add(step, -digits)
    assert np.concatenate(differences).mean() < 0.02 * TOTAL
