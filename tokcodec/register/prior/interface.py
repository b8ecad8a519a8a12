"""What every prior gives: frequencies of the next digit of a picture, as integers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from tokcodec.model import TOTAL


class Context(Protocol):
    """What both ends know of one picture: its digits so far, in coding order (token by token, and
    within a token as in `Tokenizer.levels`).
    """

    def weights(self) -> np.ndarray:
        """Frequencies of the next digit's values, less one: float64, summing to 2**24 less their
        number.
        """

    def add(self, digit: int) -> None:
        """The next digit has become known."""


class Prior(Protocol):
    """What both ends believe of the next digit; nothing but integers goes into it."""

    @property
    def id(self) -> str:
        """Its name in a model's identity: "uniform", or the 64 hexadecimal digits of a hash."""

    def context(self) -> Context:
        """Of a picture of which no digit is known yet."""


class Recalled:
    """A `Context` that keeps all digits, for priors that look some of them up.

    Args:
        rule: digits so far to `Context.weights`.
    """

    def __init__(self, rule: Callable[[Sequence[int]], np.ndarray]) -> None:
        self._rule = rule
        self._digits: list[int] = []

    def weights(self) -> np.ndarray:
        """See `Context`."""
        return self._rule(self._digits)

    def add(self, digit: int) -> None:
        """See `Context`."""
        self._digits.append(digit)


class Uniform:
    """All values are equally likely, the last taking what is left over."""

    id = "uniform"

    def __init__(self, levels: Sequence[int]) -> None:
        self._rows = [_row(n) for n in levels]

    def context(self) -> Context:
        """See `Prior`."""
        return Recalled(lambda digits: self._rows[len(digits) % len(self._rows)])


def _row(values: int) -> np.ndarray:
    row = np.full(values, TOTAL // values - 1, np.float64)
    row[-1] += TOTAL % values
    return row
