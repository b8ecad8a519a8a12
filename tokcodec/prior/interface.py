"""A model's kind of prior, for whoever wants to know how likely the digits of a pass are."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from tokcodec.tokens.order import Pass


class Table(NamedTuple):
    """Frequencies, a row a context."""

    frequencies: np.ndarray  # int64 (rows, 3): of the digits -1, 0, +1; each row sums to 2**24
    weights: np.ndarray  # the same less one, as float64: what the range coder is handed

    @classmethod
    def of(cls, frequencies: np.ndarray) -> Table:
        """The table of these frequencies."""
        return cls(frequencies, (frequencies - 1).astype(np.float64))


class Odds(Protocol):
    """Frequencies, a row a context, as `Table` has them."""

    @property
    def frequencies(self) -> np.ndarray: ...
    @property
    def weights(self) -> np.ndarray: ...


class Prior(Protocol):
    """How likely each digit is, by what is known before its pass."""

    def look(self, step: Pass) -> tuple[np.ndarray, Odds]:
        """Row of the table for each digit of `step`, (*lead, step.digits), and the table."""
        ...
