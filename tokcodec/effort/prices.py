"""What the prior asks for each digit, in bits: the only place where effort meets the prior."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tokcodec.model import TOTAL_BITS
from tokcodec.prior import prior_for
from tokcodec.prior.interface import Odds
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Pass


class Prices:
    """The prices of the passes of one picture, asked for in order."""

    def __init__(self, known: Knowledge) -> None:
        """`known`: to be filled with the digits of each pass once its prices are known."""
        self._prior = prior_for(known)

    def of(self, step: Pass) -> np.ndarray:
        """Bits that -1, 0 and +1 would cost at each place of a pass: float32 (step.digits, 3)."""
        rows, odds = self._prior.look(step)
        return _bits(_Same(odds)).take(rows, axis=0)


class _Same:
    """Odds, equal to themselves only: as a key they cost no comparison of arrays."""

    def __init__(self, odds: Odds) -> None:
        self.odds = odds

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.odds is other.odds

    def __hash__(self) -> int:
        return id(self.odds)


@lru_cache(maxsize=4096)
def _bits(key: _Same) -> np.ndarray:
    return (TOTAL_BITS - np.log2(key.odds.frequencies)).astype(np.float32)
