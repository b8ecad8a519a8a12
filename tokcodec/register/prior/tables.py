"""Counted integer tables as a `Prior`: a row for each place of a digit and, where it helps, for
each value of one earlier digit (its parent: Chow and Liu, "Approximating Discrete Probability
Distributions with Dependence Trees", 1968).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from tokcodec.model import TOTAL
from tokcodec.register.prior.interface import Context
from tokcodec.register.prior.learned import identity, parents_fit
from tokcodec.register.prior.recalled import Recalled


@dataclass(frozen=True, eq=False)
class Tables:
    """A `Prior` of counted frequencies. A place is a digit's in a picture: token * D + digit.

    Attributes:
        levels: digits of a token, the number of values of each.
        parents: int32 (places,), the place that a digit's row depends on, or -1.
        frequencies: uint32 (places, contexts, values): of each value, by the parent's value (by 0
            without one); each row sums to 2**24, and is 0 past the digit's values.
    """

    kind: ClassVar[str] = "register-tables-1"

    levels: tuple[int, ...]
    parents: np.ndarray = field(repr=False)
    frequencies: np.ndarray = field(repr=False)

    @cached_property
    def id(self) -> str:
        """SHA-256 of all that is in it (docs/FORMAT.md, "Register tokenizers")."""
        return identity(self)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """By the names that they have in a file."""
        return {"parents": self.parents, "frequencies": self.frequencies}

    def context(self) -> Context:
        """See `Prior`."""
        return Recalled(self.weights)

    def weights(self, digits: Sequence[int]) -> np.ndarray:
        """`Context.weights` after these digits."""
        place = len(digits)
        parent = self.parents[place]
        row = self.frequencies[place, 0 if parent < 0 else digits[parent]]
        return row[: self.levels[place % len(self.levels)]].astype(np.float64) - 1

    def bits(self, digits: np.ndarray) -> np.ndarray:
        """Bits of each digit of pictures, (pictures, places)."""
        places = np.arange(digits.shape[1])
        context = np.where(self.parents < 0, 0, digits[:, self.parents])
        return np.log2(TOTAL) - np.log2(self.frequencies[places, context, digits])

    def sound(self, length: int) -> bool:
        """Whether every digit of so many tokens has a row for all that may come before it."""
        levels, parents, found = self.levels, self.parents, self.frequencies
        places = length * len(levels)
        if found.dtype != np.uint32 or found.ndim != 3 or found.shape[::2] != (places, max(levels)):
            return False
        if not parents_fit(parents, levels, length, found.shape[1]):
            return False
        values = np.tile(levels, length)
        used = np.arange(found.shape[1]) < np.where(parents < 0, 1, values[parents])[:, None]
        inside = np.arange(found.shape[2]) < values[:, None]
        fits = np.where(inside[:, None], found > 0, found == 0).all(2)
        return bool(((fits & (found.sum(2, dtype=np.uint64) == TOTAL)) | ~used).all())
