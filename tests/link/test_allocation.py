"""Choices: the best of a family, never worse than simpler ones."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.link.allocation import EQUAL, LEEWAY, choose, expected, fit
from tokcodec.link.channel import bursty, independent
from tokcodec.link.protection import CURVES, PLAIN, curve, groups, scheme_of

WORTH = 12 + 2.2 * np.log2(1 + np.maximum(0, np.arange(2001) - 4) / 4)  # decibels by bytes


def test_equal_is_the_diagonal():
    assert all(len(set(curve(scheme, 30, 20).tolist())) == 1 for scheme in EQUAL)


@pytest.mark.parametrize("loss", [independent(0.05), independent(0.4), bursty(0.2, 3)])
@pytest.mark.parametrize("count", [1, 4, 12])
def test_priority_is_best(loss, count: int):
    plans = {p: choose(WORTH, count, 46, loss, p) for p in ("priority", "equal", "none")}
    best = max(p.expected for p in plans.values())
    assert plans["priority"].expected >= best - LEEWAY
    if count == 12:
        every = [expected(WORTH, s, count, 46, loss)[0] for s in (PLAIN, *range(1, CURVES + 1))]
        assert plans["priority"].expected >= max(every) - LEEWAY
        assert plans["equal"].expected > plans["none"].expected + 1


def test_expected_is_the_mean_of_what_arrives():
    loss, count, length = bursty(0.2, 3), 10, 46
    random = np.random.default_rng(5)
    scheme = scheme_of(4, 11)
    k = curve(scheme, count, length)
    arrived = np.array([loss.draw(count, random).sum() for _ in range(4000)])
    mean = np.mean([WORTH[int(k[k <= m].sum())] for m in arrived])
    shown = np.mean([WORTH[int(k[k <= m].sum())] > WORTH[0] for m in arrived])
    found = expected(WORTH, scheme, count, length, loss)
    assert found == (pytest.approx(mean, abs=0.1), pytest.approx(shown, abs=0.01))


@pytest.mark.parametrize("loss", [independent(0.1), independent(0.4), bursty(0.2), bursty(0.4)])
def test_a_picture_is_all_but_sure(loss):
    plan = choose(WORTH, 20, 46, loss)
    value, sure = expected(WORTH, plan.scheme, 20, 46, loss)
    assert sure >= 0.999
    every = [expected(WORTH, s, 20, 46, loss) for s in range(1, CURVES + 1)]
    best, its = max(every)
    assert value >= best - LEEWAY
    assert sure >= its
    assert not any(v > value and s > sure for v, s in every)


def test_a_base_comes_with_two_packets_of_twenty():
    """As surely as two packets of twenty arrive: more of the picture comes with them."""
    loss = bursty(0.4)
    plan = choose(WORTH, 20, 46, loss)
    arrives = float(loss.received(20)[2:].sum())
    assert expected(WORTH, plan.scheme, 20, 46, loss)[1] == pytest.approx(arrives)


def test_two_groups_wait_for_the_slower():
    loss, scheme = independent(0.2), scheme_of(9, 12)
    halves, whole = (expected(WORTH, scheme, n, 3, loss)[0] for n in (300, 150))
    assert halves > whole - 0.5  # twice the bytes, at a group that loses more


def test_without_loss_all_travels():
    plan = choose(WORTH, 10, 46, independent(0), "priority")
    assert plan.scheme == PLAIN
    assert plan.used == 460


@pytest.mark.parametrize("count", [1, 3, 10, 40, 300])
@pytest.mark.parametrize("size", [4, 30, 100, 333, 1999])
def test_filling_is_in_the_last_column(count: int, size: int):
    several = groups(count)
    for scheme in range(1, CURVES + 1, 7):
        fitted = fit(size, scheme, count, 46)
        if fitted is None:
            assert several * int(curve(scheme, count // several, 1)[0]) > size + 1
            continue
        length, used = fitted
        k = curve(scheme, count // several, length)
        filling = several * int(k.sum()) - 1 - used
        assert 1 <= length <= 46
        assert 0 <= used <= size
        assert 0 <= filling < min(256, several * int(k[-1]))
