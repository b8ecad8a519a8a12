"""Arrays of a model by slot, and what its finer levels borrow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tokcodec.model import LEVELS

# Levels from this one on are counted as one, for want of photographs: a picture's finest level has
# its camera's and its file's blur, so finer ones are known from pictures scaled down, which have
# fewer levels.
FINEST = 6


def slots(level: int) -> slice:
    """Where a level's three orientations stand in an array (channel, slot, ...)."""
    return slice(1 + 3 * (level - 1), 1 + 3 * level)


def beyond(finest: int) -> Iterator[tuple[int, slice]]:
    """The levels that are not counted, each with its slots."""
    for level in range(finest + 1, LEVELS + 1):
        yield level, slots(level)


def lend(array: np.ndarray, finest: int) -> None:
    """Give what `array` (channel, slot, ...) has of the finest level counted to those beyond."""
    for _, there in beyond(finest):
        array[:, there] = array[:, slots(finest)]
