"""What every prior gives: frequencies of the next digit of a picture, as integers."""

from __future__ import annotations

from typing import Protocol

import numpy as np


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
