"""A causal network of integers as a `Prior`: all earlier digits to the frequencies of the next one.

Each digit adds numbers, its own for every place, to sums; what they have above zero says, place by
place, how much likelier than in tables each value is (the neural autoregressive distribution
estimator: Larochelle and Murray, AISTATS 2011). So a digit costs as much however many came before
it. Values are told apart by a few numbers each, alike at all places: large codebooks can be heard,
too. Weights have 16 bits, and all sums are exact: they are worked out in float64, where integers
below 2**53 are, in whatever order they are added. docs/FORMAT.md, "Register tokenizers", has every
number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np

from tokcodec.model import TOTAL
from tokcodec.register.prior.interface import Context
from tokcodec.register.prior.learned import identity, parents_fit

BITS = 10  # weights, logits and hidden values are in 1/1024,
TOP = (1 << 15) - 1  # hidden values up to 32,
SCORE_BITS = 6  # scores in 1/64 of a natural logarithm's unit
MAX_POWER, MAX_POWERS = 1 << 20, 1 << 12
MAX_PLACES, MAX_RANK, MAX_HIDDEN = 1 << 15, 1 << 6, 1 << 10  # so that no sum reaches 2**53
_SCALE = np.float64(1 << BITS)


@dataclass(frozen=True, eq=False)
class Network:
    """A `Prior` with a hidden layer. A place is a digit's in a picture: token * D + digit.

    Attributes:
        levels: D digits of a token, the number of values of each.
        parents: int32 (places,), the place that a digit's logits depend on, or -1.
        logits: int16 (places, contexts, values): of each value, by the parent's value (by 0 without
            one), in 1/1024.
        codes: int16 (D, rank, values): what a digit's value is heard as.
        heard: int16 (places, rank, hidden): what that adds to the sums.
        bias: int16 (places, hidden), of the hidden values.
        told: int16 (places, hidden, rank): what hidden values say,
        meant: int16 (D, rank, values): and what that adds to the logits.
        powers: uint32 (n,): how likely a value is whose score is 0, 1, 2, ... below the best; the
            last stands for all that are further below.
    """

    kind: ClassVar[str] = "register-network-1"

    levels: tuple[int, ...]
    parents: np.ndarray = field(repr=False)
    logits: np.ndarray = field(repr=False)
    codes: np.ndarray = field(repr=False)
    heard: np.ndarray = field(repr=False)
    bias: np.ndarray = field(repr=False)
    told: np.ndarray = field(repr=False)
    meant: np.ndarray = field(repr=False)
    powers: np.ndarray = field(repr=False)

    @cached_property
    def id(self) -> str:
        """SHA-256 of all that is in it (docs/FORMAT.md, "Register tokenizers")."""
        return identity(self)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """By the names that they have in a file."""
        names = "parents", "logits", "codes", "heard", "bias", "told", "meant", "powers"
        return {name: getattr(self, name) for name in names}

    def context(self) -> Context:
        """See `Prior`."""
        return _Sums(self)

    def bits(self, digits: np.ndarray) -> np.ndarray:
        """Bits of each digit of pictures, (pictures, places)."""
        pictures, places = digits.shape
        sums = np.zeros((pictures, self.bias.shape[1]))
        found = np.empty((pictures, places))
        for place in range(places):
            frequencies = 1 + self.weights(place, sums, digits[:, self.parents[place]])
            found[:, place] = frequencies[np.arange(pictures), digits[:, place]]
            sums += self.added(place, digits[:, place])
        return np.log2(TOTAL) - np.log2(found)

    def weights(self, place: int, sums: np.ndarray, parent: np.ndarray) -> np.ndarray:
        """`Context.weights` of several pictures, (pictures, values), at a place.

        Args:
            sums: float64 (pictures, hidden), of all that earlier digits added.
            parent: (pictures,), the digit at the place's parent; anything if it has none.
        """
        digit = place % len(self.levels)
        values = self.levels[digit]
        _, _, bias, told, meant = self._layers
        hidden = np.minimum(np.maximum(np.floor(sums / _SCALE) + bias[place], 0), TOP)
        row = parent if self.parents[place] >= 0 else 0 * parent
        given = self.logits[place][row, :values] * _SCALE
        logits = given + np.floor(hidden @ told[place] / _SCALE) @ meant[digit, :, :values]
        scores = np.floor(logits / np.float64(1 << 2 * BITS - SCORE_BITS))
        below = scores.max(-1, keepdims=True) - scores
        last = len(self.powers) - 1
        powers = self.powers[np.minimum(below, last).astype(np.int64)].astype(np.int64)
        found = powers * (TOTAL - values) // powers.sum(-1, keepdims=True)
        best = np.arange(len(found)), below.argmin(-1)
        found[best] += TOTAL - values - found.sum(-1)
        return found.astype(np.float64)

    def added(self, place: int, digit: np.ndarray) -> np.ndarray:
        """What each picture's digit there, (pictures,), adds to its sums: float64."""
        codes, heard, *_ = self._layers
        return codes[place % len(codes)][:, digit].T @ heard[place]

    @cached_property
    def _layers(self) -> tuple[np.ndarray, ...]:
        arrays = self.codes, self.heard, self.bias, self.told, self.meant
        return tuple(a.astype(np.float64) for a in arrays)

    def sound(self, length: int) -> bool:
        """Whether the arrays fit one another and a tokenizer of so many tokens."""
        digits, places, most = len(self.levels), length * len(self.levels), max(self.levels)
        if self.codes.ndim != 3 or self.bias.ndim != 2 or self.logits.ndim != 3:
            return False
        rank, hidden, contexts = self.codes.shape[1], self.bias.shape[1], self.logits.shape[1]
        shapes = {
            "logits": (places, contexts, most), "codes": (digits, rank, most),
            "heard": (places, rank, hidden), "bias": (places, hidden),
            "told": (places, hidden, rank), "meant": (digits, rank, most),
        }  # fmt: skip
        arrays = self.arrays
        if any(arrays[n].shape != s or arrays[n].dtype != np.int16 for n, s in shapes.items()):
            return False
        if not 0 < rank <= MAX_RANK or not 0 < hidden <= MAX_HIDDEN or places > MAX_PLACES:
            return False
        if self.powers.dtype != np.uint32 or self.powers.ndim != 1:
            return False
        if not 0 < len(self.powers) <= MAX_POWERS or not self.powers[0]:
            return False
        if self.powers.max() > MAX_POWER:
            return False
        return parents_fit(self.parents, self.levels, length, contexts)


class _Sums:
    """The `Context` of a `Network`."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._digits: list[int] = []
        self._sums = np.zeros((1, network.bias.shape[1]))

    def weights(self) -> np.ndarray:
        place = len(self._digits)
        parent = int(self._network.parents[place])
        before = np.array([self._digits[parent] if parent >= 0 else 0])
        return self._network.weights(place, self._sums, before)[0]

    def add(self, digit: int) -> None:
        self._sums += self._network.added(len(self._digits), np.array([digit]))
        self._digits.append(digit)
