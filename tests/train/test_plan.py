"""What a configuration says, and what is taken where it says nothing."""

from __future__ import annotations

from itertools import product

import pytest

pytest.importorskip("torch")

from tokcodec.errors import ArgumentError
from tokcodec.train.images.crops import Sizes
from tokcodec.train.plan import MINUTES, plan, seed_of
from tokcodec.train.schedule import Schedule

SIZES = [{"side": 32, "batch": 4}]


@pytest.mark.parametrize(
    ("said", "minutes", "meant"),
    [
        ({}, None, Schedule(minutes=MINUTES)),
        ({"rate": 0.1}, None, Schedule(minutes=MINUTES, rate=0.1)),
        ({"rate": 0.1}, 5.0, Schedule(minutes=5.0, rate=0.1)),
        ({"minutes": 7.0}, None, Schedule(minutes=7.0)),
        ({"minutes": 7.0}, 5.0, Schedule(minutes=5.0)),
        ({"steps": 3}, None, Schedule(steps=3)),
        ({"steps": 3}, 5.0, Schedule(minutes=5.0, steps=3)),
    ],
)
def test_how_long(said: dict, minutes: float | None, meant: Schedule) -> None:
    before = dict(said)
    assert plan(SIZES, said, minutes) == ([Sizes(32, 4)], meant)
    assert said == before


@pytest.mark.parametrize(
    ("sizes", "said", "minutes"),
    [
        ([], {}, None),
        ([3], {}, None),
        (SIZES, {"minuets": 3}, None),
        (SIZES, {}, -1.0),
        (SIZES, {}, True),
    ],
)
def test_what_has_no_meaning(sizes: list, said: dict, minutes: float | None) -> None:
    with pytest.raises(ArgumentError):
        plan(sizes, said, minutes)


def test_every_process_and_every_part_of_a_run_has_its_own_seed() -> None:
    assert seed_of(7, 0, 0) == 7
    assert len({seed_of(7, *place) for place in product(range(8), range(8))}) == 64
