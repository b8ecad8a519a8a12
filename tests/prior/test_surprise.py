"""What the tables did not expect of a picture is told to the passes that follow."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.prior.context import Contexts
from tokcodec.prior.surprise import TOLD, Surprise
from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Order, Pass

ORDER = Order(shipped(DEFAULT), 48, 64, 3)


class Watcher:
    """A picture whose digits are made up, and what each of its passes is told."""

    def __init__(self, lead: tuple[int, ...] = ()) -> None:
        self.known = Knowledge(ORDER, lead)
        self.contexts, self.surprise = Contexts(self.known), Surprise(self.known)
        self.expected: dict[Pass, float] = {}

    def look(self, step: Pass) -> dict[str, np.ndarray]:
        rows, tables = self.contexts.look(step)
        unlikely = 1 - tables.frequencies[:, 1] / tables.frequencies[0].sum()
        self.expected[step] = float(unlikely[rows].sum())
        told = self.surprise.look(step, rows, tables)
        assert told.shape == (*self.known.lead, len(TOLD))
        return dict(zip(TOLD, np.moveaxis(told, -1, 0), strict=True))

    def add(self, step: Pass, found: float) -> None:
        digits = np.zeros((*self.known.lead, step.digits), np.int8)
        digits[..., : round(found)] = 1
        self.known.add(step, digits)


def until(watcher: Watcher, number: int, times: float) -> dict[str, np.ndarray]:
    """What pass `number` is told if all before it have `times` as many digits as expected."""
    for step in ORDER.passes[:number]:
        watcher.look(step)
        watcher.add(step, min(step.digits, times * watcher.expected[step]))
    return watcher.look(ORDER.passes[number])


def test_nothing_is_told_at_first() -> None:
    assert all(v == 0 for v in Watcher().look(ORDER.passes[0]).values())


def test_as_many_as_expected_is_no_surprise_and_more_is() -> None:
    finest = max(b.level for b in ORDER.bands)
    number = max(i for i, s in enumerate(ORDER.passes) if ORDER.bands[s.band].level == finest - 1)
    told = [until(Watcher(), number, times) for times in (0, 1, 2)]
    for name in TOLD:
        few, even, many = (int(t[name]) for t in told)
        assert few < -16
        assert abs(even) <= 4
        assert many > 8


@pytest.mark.parametrize(("times", "sign"), [(0.0, -1), (3.0, 1)])
def test_odd_cells_hear_of_the_even_ones(times: float, sign: int) -> None:
    number = next(i for i in range(40, 99) if ORDER.passes[i].parity and ORDER.passes[i].digits > 9)
    watcher = Watcher()
    assert until(watcher, number - 1, 1)["even cells"] == 0
    even, odd = ORDER.passes[number - 1 : number + 1]
    watcher.add(even, min(even.digits, 6 + times * watcher.expected[even]) if times else 0)
    assert int(watcher.look(odd)["even cells"]) * sign > 0


def test_asking_twice_changes_nothing() -> None:
    once, twice = Watcher(), Watcher()
    for step in ORDER.passes[:40]:
        expected = once.look(step)
        assert twice.look(step) == expected
        assert twice.look(step) == expected
        once.add(step, step.digits // 3)
        twice.add(step, step.digits // 3)


def test_pictures_of_a_batch_do_not_hear_of_each_other() -> None:
    rng, batch, alone = np.random.default_rng(0), Watcher((2,)), [Watcher(), Watcher()]
    for step in ORDER.passes[:60]:
        together = batch.look(step)
        digits = rng.choice([-1, 0, 0, 1], (2, step.digits)).astype(np.int8)
        digits[1] //= 2
        for i, watcher in enumerate(alone):
            for name, told in watcher.look(step).items():
                assert told == together[name][i]
            watcher.known.add(step, digits[i])
        batch.known.add(step, digits)
