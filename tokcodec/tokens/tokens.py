"""Ternary digits to token ids, and back; `Tokens`, the ordered list that stands for a picture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np

from tokcodec.errors import TokensError

DIGITS = 10  # ternary digits to a token
MAX_VOCABULARY = 1 << 31  # vocabulary: ids are int32
VOCABULARY = 3**DIGITS
_IDENTITY = re.compile("[0-9a-f]{64}")
_POWERS = 3 ** np.arange(DIGITS - 1, -1, -1, dtype=np.int64)


def to_ids(digits: np.ndarray) -> np.ndarray:
    """Digits (n,) in -1, 0, 1 to ids (ceil(n / 10),) int32: sum of (d_i + 1) * 3**(9 - i); the last
    padded with zeros.
    """
    padded = np.zeros(-(-len(digits) // DIGITS) * DIGITS, np.int64)
    padded[: len(digits)] = digits
    return ((padded.reshape(-1, DIGITS) + 1) @ _POWERS).astype(np.int32)


def to_digits(ids: np.ndarray) -> np.ndarray:
    """Ids (n,) to digits (10 n,) int8."""
    return (np.asarray(ids, np.int64)[:, None] // _POWERS % 3 - 1).astype(np.int8).ravel()


@dataclass(frozen=True, eq=False)
class Tokens(Sequence[int]):
    """A picture as an ordered list of tokens, most telling first; any prefix `tokens[:n]` is a
    picture too.

    Attributes:
        ids: int32 (n,), each in 0..vocabulary - 1.
        model: identity of the model that gives them meaning, 64 hexadecimal digits.
        size: (width, height) of the picture in pixels.
        grey: the picture has R = G = B and only luma is coded.
        vocabulary: number of different ids: 59,049 for pyramids.
        fit: how the picture became a square: "squash", "crop" or "pad"; pyramids need no square.
    """

    ids: np.ndarray
    model: str
    size: tuple[int, int]
    grey: bool = False
    vocabulary: int = VOCABULARY
    fit: str = "squash"

    def __post_init__(self) -> None:
        try:
            ids = np.asarray(self.ids)
        except ValueError:
            raise TokensError("token ids must be a list of whole numbers, not lists") from None
        if not isinstance(self.vocabulary, (int, np.integer)):
            raise TokensError(f"a vocabulary is a whole number, not {self.vocabulary!r:.40}")
        if self.vocabulary > MAX_VOCABULARY:
            raise TokensError(
                f"a vocabulary has at most {MAX_VOCABULARY} ids, not {self.vocabulary}"
            )
        try:
            width, height = self.size
        except (TypeError, ValueError):
            raise TokensError(f"a size is (width, height), not {self.size!r:.40}") from None
        object.__setattr__(self, "size", (width, height))  # a list has no hash
        if not (isinstance(self.model, str) and _IDENTITY.fullmatch(self.model)):
            raise TokensError(
                "tokens name their model by its identity (64 hexadecimal digits: "
                f"`codec.model.id`), not {self.model!r:.40}"
            )
        if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
            raise TokensError(
                f"token ids must be a list of whole numbers, not {ids.dtype} of shape {ids.shape}"
            )
        if ids.size and (int(ids.min()) < 0 or int(ids.max()) >= self.vocabulary):
            raise TokensError(
                f"token ids must lie in 0..{self.vocabulary - 1}; found {ids.min()}..{ids.max()}"
            )
        object.__setattr__(self, "ids", ids.astype(np.int32))

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[int]:
        return iter(self.ids.tolist())

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Tokens: ...
    def __getitem__(self, index: int | slice) -> int | Tokens:
        """One id, or the first tokens: `tokens[:n]`. Only prefixes are pictures, so other slices
        are refused.
        """
        if not isinstance(index, slice):
            return int(self.ids[index])
        start, stop, stride = index.indices(len(self))
        if start != 0 or stride != 1:
            raise TokensError("only a prefix of tokens is a picture: write tokens[:n]")
        return replace(self, ids=self.ids[:stop])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tokens):
            return NotImplemented
        return self._about() == other._about() and np.array_equal(self.ids, other.ids)

    def __hash__(self) -> int:
        return hash((*self._about(), self.ids.tobytes()))

    def _about(self) -> tuple[object, ...]:
        return self.model, self.size, self.grey, self.fit
