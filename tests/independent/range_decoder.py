"""The range decoder, of either family: "Range coder" in docs/FORMAT.md."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

MASK = 2**64 - 1


class RangeDecoder:
    """Two decoders in step: one reads zeros beyond the end of the bytes, the other ones."""

    def __init__(self, code: bytes) -> None:
        self.code, self.at, self.low, self.range = code, 0, 0, MASK
        self.zeros = self.ones = 0
        self.read(8)

    def read(self, count: int) -> None:
        raw = self.code[self.at : self.at + count]
        self.at += count
        zeros, ones = (int.from_bytes(raw.ljust(count, b), "big") for b in (b"\x00", b"\xff"))
        self.zeros = (self.zeros << 8 * count | zeros) & MASK
        self.ones = (self.ones << 8 * count | ones) & MASK

    def digit(self, minus: int, zero: int) -> int | None:
        """The next digit of a pyramid, or None if the bytes do not determine it."""
        value = self.value((minus, zero, 2**24 - minus - zero))
        return None if value is None else value - 1

    def value(self, frequencies: Sequence[int]) -> int | None:
        """Which of the values of these frequencies comes next, or None."""
        unit = self.range >> 24
        t0, t1 = (((v - self.low) & MASK) // unit for v in (self.zeros, self.ones))
        sums = [0, *accumulate(frequencies)]
        d, d1 = (bisect_right(sums, t) - 1 for t in (t0, t1))
        if max(t0, t1) >= 2**24 or d != d1:
            return None
        self.low, self.range = (self.low + unit * sums[d]) & MASK, unit * frequencies[d]
        if self.range < 2**32:
            self.low, self.range = self.low << 32 & MASK, self.range << 32
            self.read(4)
        return d
