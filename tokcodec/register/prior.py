"""The digits of a picture so far to the integer frequencies of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from tokcodec.model import TOTAL


class Prior(Protocol):
    """What both ends believe of the next digit; nothing but integers goes into it."""

    @property
    def id(self) -> str:
        """Its name in a model's identity: "uniform", or the 64 hexadecimal digits of a hash."""

    def weights(self, digits: Sequence[int]) -> np.ndarray:
        """Frequencies of the next digit's values, less one: float64, summing to 2**24 less their
        number.

        Args:
            digits: all digits before it, in coding order: token by token, and within a token as in
                `Tokenizer.levels`.
        """
        ...


class Uniform:
    """All values are equally likely, the last taking what is left over."""

    id = "uniform"

    def __init__(self, levels: Sequence[int]) -> None:
        self._rows = [_row(n) for n in levels]

    def weights(self, digits: Sequence[int]) -> np.ndarray:
        return self._rows[len(digits) % len(self._rows)]


def _row(values: int) -> np.ndarray:
    row = np.full(values, TOTAL // values - 1, np.float64)
    row[-1] += TOTAL % values
    return row
