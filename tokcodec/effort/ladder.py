"""An effort, 0 to 9, to the work that it stands for."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from tokcodec.errors import ArgumentError


class Level(NamedTuple):
    """The work of one effort. Each does all that the one below does, and more.

    Attributes:
        sieves: how many prices of a bit are tried in a single pass over the digits.
        rounds: steps of each descent.
        starts: how many of the best the descent starts from.
    """

    sieves: int
    rounds: int
    starts: int


LEVELS = (
    Level(0, 0, 0),
    Level(1, 0, 0),
    Level(3, 0, 0),
    Level(7, 0, 0),
    Level(7, 5, 1),
    Level(7, 10, 1),
    Level(7, 20, 1),
    Level(7, 30, 1),
    Level(7, 30, 2),
    Level(7, 30, 4),
)
MOST = len(LEVELS) - 1
LINEAR = "linear"  # the decoder whose picture is looked at unless another is named
EVERY = 5  # rounds after which the draft is made longer by what they saved
# Prices of a bit tried, in units of what the order expects a bit to be worth where the stream ends.
PRICES = (1.0, 1.25, 0.8, 1.12, 0.9, 1.4, 0.64)


def check(effort: int, decoder: str | Path = LINEAR) -> None:
    """ArgumentError unless there is such an effort, or if it is 0 and has a decoder to look through
    all the same.
    """
    whole = isinstance(effort, (int, np.integer)) and not isinstance(effort, bool)
    if not whole or not 0 <= effort <= MOST:
        raise ArgumentError(f"effort is a whole number in 0..{MOST}, not {effort!r}")
    if not effort and str(decoder) != LINEAR:
        raise ArgumentError(
            f"decoder={str(decoder)!r} is whose picture effort looks at: give effort=1..{MOST}, too"
        )
