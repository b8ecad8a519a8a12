"""What every configuration says alike, to what a run follows: sizes of crops, schedule, seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tokcodec.errors import ArgumentError
from tokcodec.train.config import made
from tokcodec.train.images.crops import Sizes
from tokcodec.train.schedule import Schedule

MINUTES = 60.0  # of training, where neither minutes nor steps are said


def plan(
    sizes: Sequence[Mapping[str, Any]], schedule: Mapping[str, Any], minutes: float | None
) -> tuple[list[Sizes], Schedule]:
    """The tables of a configuration, read.

    Args:
        minutes: as said on the command line, instead of the schedule's.

    Raises:
        ArgumentError: something in them has no meaning.
    """
    if not sizes:
        raise ArgumentError("sizes has one table at least")
    said = dict(schedule)
    if minutes is not None:
        said["minutes"] = minutes
    elif not said.keys() & {"minutes", "steps"}:
        said["minutes"] = MINUTES
    read = [made(Sizes, size, "each of sizes", own_limits=True) for size in sizes]
    return read, made(Schedule, said, "schedule", own_limits=True)


def seed_of(seed: int, rank: int, done: int) -> int:
    """A configuration's seed to one for a process of a run after so many steps: no two processes,
    and no two parts of a run that was gone on with, draw the same random numbers.
    """
    return seed + 1000 * rank + (done << 20)
