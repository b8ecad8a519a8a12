"""The schedule: when a run ends, and how fast it learns on the way."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.errors import ArgumentError
from tokcodec.train.schedule import WARM_UP, Schedule


def test_the_first_of_minutes_and_steps_ends_the_run() -> None:
    both = Schedule(minutes=2, steps=100)
    assert both.progress(0, 0) == 0
    assert both.progress(60, 10) == 0.5
    assert both.progress(12, 80) == 0.8
    assert both.progress(500, 10) == both.progress(0, 100) == both.progress(999, 999) == 1
    assert Schedule(minutes=2).progress(30, 10**6) == 0.25
    assert Schedule(steps=100).progress(10**6, 25) == 0.25


@pytest.mark.parametrize("lengths", [{}, {"minutes": 0}, {"steps": 0}, {"minutes": 0, "steps": 0}])
def test_a_run_has_an_end(lengths: dict[str, int]) -> None:
    with pytest.raises(ArgumentError, match="how long"):
        Schedule(**lengths)


def test_the_rate_rises_and_falls() -> None:
    schedule = Schedule(steps=10**5, rate=0.5, last=0.1)
    rising = [schedule.rate_at(0.0, n) for n in range(WARM_UP)]
    assert rising == sorted(set(rising))
    assert rising[-1] == schedule.rate_at(0.0, 10**4) == pytest.approx(0.5)
    falling = [schedule.rate_at(p, 10**4) for p in np.linspace(0, 1, 50)]
    assert falling == sorted(set(falling), reverse=True)
    assert falling[-1] == pytest.approx(0.05)
    assert schedule.rate_at(0.5, 10**4) == pytest.approx(0.275)
