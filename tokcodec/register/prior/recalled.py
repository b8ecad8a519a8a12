"""Digits so far, kept, to the frequencies of the next one by a rule that looks some of them up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np


class Recalled:
    """A `Context` that keeps all digits.

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
