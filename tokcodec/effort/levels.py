"""An effort, 0 to 9, to the work that it stands for."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tokcodec.arguments import is_whole
from tokcodec.errors import ArgumentError


class Level(NamedTuple):
    """The work of one effort. Each does all that the one below does, and more.

    Attributes:
        prices: how many prices of a bit the digits are quantised at, in a single pass each.
        rounds: steps of the descent from the best of them.
        turns: how often the price is changed after that, and the descent goes on.
        looks: how many of the best drafts are written out to choose the best code string.
    """

    prices: int
    rounds: int = 0
    turns: int = 0
    looks: int = 1


LEVELS = (
    Level(0),
    Level(1),
    Level(3),
    Level(7),
    Level(7, 5),
    Level(7, 10),
    Level(7, 20),
    Level(7, 30),
    Level(7, 30, 4, 4),
    Level(7, 30, 16, 12),
)
MAX_EFFORT = len(LEVELS) - 1
LINEAR = "linear"  # the decoder whose picture is looked at unless another is named


def check(effort: int, decoder: str | Path = LINEAR) -> None:
    """ArgumentError unless there is such an effort, or if it is 0 and has a decoder to look through
    all the same.
    """
    if not is_whole(effort) or not 0 <= effort <= MAX_EFFORT:
        raise ArgumentError(f"effort is a whole number in 0..{MAX_EFFORT}, not {effort!r:.40}")
    if not effort and str(decoder) != LINEAR:
        raise ArgumentError(
            f"decoder={str(decoder)!r} is whose picture effort looks at: give "
            f"effort=1..{MAX_EFFORT}, too"
        )
