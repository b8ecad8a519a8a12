"""The prior of a tokenizer that has learned none: every value of a digit is as likely."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokcodec.model import TOTAL
from tokcodec.register.prior.interface import Context
from tokcodec.register.prior.recalled import Recalled


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
