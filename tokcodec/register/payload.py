"""Token ids to the code string of a stream, any prefix of it to the tokens that it determines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tokcodec.coder.range import Interval, Reader, Writer
from tokcodec.register.prior.interface import Prior


class Code(NamedTuple):
    """How tokens are written.

    Attributes:
        levels: digits of a token, the number of values of each.
        length: most tokens.
        prior: frequencies of digits.
    """

    levels: tuple[int, ...]
    length: int
    prior: Prior

    def digits(self, ids: Sequence[int]) -> list[int]:
        """Digits of tokens: id = d_0 + levels_0 (d_1 + levels_1 (d_2 + ...)), d_0 first."""
        found = []
        for number in ids:
            for values in self.levels:
                number, digit = divmod(int(number), values)
                found.append(digit)
        return found

    def ids(self, digits: Sequence[int]) -> np.ndarray:
        """Int32 ids of the whole tokens that digits make."""
        n = len(self.levels)
        whole = np.array(digits[: len(digits) // n * n], np.int64).reshape(-1, n)
        basis = np.cumprod([1, *self.levels[:-1]], dtype=np.int64)
        return (whole @ basis).astype(np.int32)


def write(code: Code, ids: Sequence[int], tokens: int | None = None) -> bytes:
    """The code string of all `ids`, or its shortest prefix that determines the first `tokens`."""
    digits, writer, context = code.digits(ids), Writer(), code.prior.context()
    stop = None if tokens is None else tokens * len(code.levels)
    if stop == 0 or not digits:
        return b""
    goal: Interval | None = None
    for i, digit in enumerate(digits, 1):
        writer.write_one(digit, context.weights())
        context.add(digit)
        if i == stop:
            goal = writer.interval()
    complete = len(digits) == code.length * len(code.levels)
    whole = writer.finish(None if complete else context.weights())
    return whole if goal is None else whole[: goal.shortest_prefix(whole, len(whole))]


def read(code: Code, payload: bytes) -> list[int]:
    """The digits that `payload`, a prefix of a code string, determines."""
    digits: list[int] = []
    most = code.length * len(code.levels)
    reader, context = Reader(payload, most), code.prior.context()
    while payload and len(digits) < most:
        digit = reader.read_one(context.weights())
        if digit is None:
            break
        context.add(digit)
        digits.append(digit)
    return digits


def shortest(code: Code, payload: bytes, tokens: int) -> int:
    """How many bytes of `payload` determine `tokens` tokens; all, if even they do not."""
    digits, wanted = read(code, payload), tokens * len(code.levels)
    if wanted > len(digits):
        return len(payload)
    if not wanted:
        return 0
    writer, context = Writer(), code.prior.context()
    for digit in digits[:wanted]:
        writer.write_one(digit, context.weights())
        context.add(digit)
    n = writer.interval().shortest_prefix(payload, len(payload))
    return len(payload) if n is None else n
