"""The digits of a picture to its one code string, any prefix of it to the digits that it
determines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tokcodec.coder.range import Interval, Reader, Writer
from tokcodec.prior import prior_for
from tokcodec.prior.interface import Odds
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Order, Pass
from tokcodec.tokens.tokens import DIGITS


class Line(NamedTuple):
    """A pass, ready for the coder: each digit with the row of its frequencies."""

    digits: np.ndarray  # int8
    rows: np.ndarray  # uint16, rows of `odds.frequencies`
    odds: Odds
    following: int | None  # row of the first digit that is not there; None after a whole pass


class Script:
    """All that is to be sent, a `Line` a pass, worked out as far as it is asked for."""

    def __init__(self, order: Order, digits_of: Callable[[Pass], np.ndarray]) -> None:
        self.order = order
        self.known = Knowledge(order)
        self._prior = prior_for(self.known)
        self._digits_of = digits_of
        self._lines: list[Line] = []

    def line(self, number: int) -> Line:
        """The line of pass `number`; shorter than the pass if there are no more digits."""
        while len(self._lines) <= number:
            step = self.order.passes[len(self._lines)]
            rows, odds = self._prior.look(step)
            digits = self._digits_of(step)
            self.known.add(step, digits)
            n = len(digits)
            following = int(rows[n]) if n < len(rows) else None
            self._lines.append(Line(digits, rows[:n].astype(np.uint16), odds, following))
        return self._lines[number]


def exact(script: Script) -> bytes:
    """A code string that determines the digits of a script, and none beyond them."""
    if not len(script.line(0).digits):
        return b""
    writer = Writer()
    for number in range(len(script.order.passes)):
        digits, rows, odds, following = script.line(number)
        writer.write(digits, rows, odds.weights)
        if following is not None:
            return writer.finish(odds.weights[following])
    return writer.finish()


def code(script: Script, tokens: int | None = None, max_bytes: int | None = None) -> bytes:
    """The code string of a picture, or a prefix of it.

    With a limit, too, the bytes are those of the whole picture's code string: digits are written
    beyond the limit until the bytes within it cannot change any more.

    Args:
        script: what is to be sent.
        tokens: stop at the shortest prefix that determines so many tokens (at least 0).
        max_bytes: never more bytes than this (at least 0).
    """
    if tokens == 0 or max_bytes == 0:
        return b""
    writer = Writer()
    goal = None  # where the coder stands after `tokens`: what the prefix must lead into
    target = None if tokens is None else tokens * DIGITS
    written = 0
    for number, step in enumerate(script.order.passes):
        digits, rows, odds, _ = script.line(number)
        # The target may lie inside a pass, which is then written in two parts.
        split = len(digits) if target is None else min(len(digits), max(0, target - written))
        writer.write(digits[:split], rows[:split], odds.weights)
        written += split
        if goal is None and written == target:
            goal = writer.interval()
        if split < len(digits):
            writer.write(digits[split:], rows[split:], odds.weights)
            written += len(digits) - split
        if goal is not None or (max_bytes is not None and len(writer) > max_bytes):
            found = _settled(*writer.fixed(), goal, max_bytes)
            if found is not None:
                return found
        if len(digits) < step.digits:
            break
    whole = writer.finish()
    n = None if goal is None else goal.shortest_prefix(whole, len(whole))
    return whole[:n][:max_bytes]


def _settled(
    string: bytes, fixed: int, goal: Interval | None, max_bytes: int | None
) -> bytes | None:
    """The prefix asked for; None if it does not lie within the first `fixed` bytes, which are all
    that is certain by now.
    """
    if goal is not None:
        n = goal.shortest_prefix(string, fixed)
        if n is not None:
            return string[:n][:max_bytes]
    if max_bytes is not None and fixed >= max_bytes:
        return string[:max_bytes]
    return None


class Reading(NamedTuple):
    """What a payload says."""

    known: Knowledge
    digits: np.ndarray  # int8, in coding order; empty unless they were asked for
    total: int  # digits determined
    complete: bool  # all digits of the picture are

    @property
    def tokens(self) -> int:
        """Whole tokens determined; the last one of a picture may have fewer digits."""
        return -(-self.total // DIGITS) if self.complete else self.total // DIGITS


def read(order: Order, payload: bytes, keep: bool = False) -> Reading:
    """Decode all digits that `payload`, a prefix of a code string, determines."""
    known, kept, count = Knowledge(order), [], 0
    reader, prior = Reader(payload, order.digits), prior_for(known)
    for step in order.passes:
        if not payload:
            break
        rows, odds = prior.look(step)
        digits = reader.read(rows, odds.weights)
        known.add(step, digits)
        count += len(digits)
        if keep:
            kept.append(digits)
        if len(digits) < step.digits:
            break
    found = np.concatenate(kept) if kept else np.zeros(0, np.int8)
    return Reading(known, found, count, count == order.digits)


def shortest(order: Order, payload: bytes, tokens: int) -> int:
    """How many bytes of `payload` determine `tokens` tokens; all of them, if even they do not."""
    if tokens == 0 or not payload:
        return 0
    known, writer, left = Knowledge(order), Writer(), tokens * DIGITS
    reader, prior = Reader(payload, order.digits), prior_for(known)
    for step in order.passes:
        rows, odds = prior.look(step)
        digits = reader.read(rows, odds.weights)
        known.add(step, digits)
        taken = min(left, len(digits))
        writer.write(digits[:taken], rows[:taken], odds.weights)
        left -= taken
        if left == 0:
            n = writer.interval().shortest_prefix(payload, len(payload))
            return len(payload) if n is None else n
        if len(digits) < step.digits:
            break
    return len(payload)


def determined(script: Script, payload: bytes) -> int:
    """How many digits `payload`, a prefix of the script's code string, determines."""
    reader, count = Reader(payload, script.order.digits), 0
    for number, step in enumerate(script.order.passes):
        _, rows, odds, _ = script.line(number)
        n = len(reader.read(rows, odds.weights))
        count += n
        if n < step.digits:
            break
    return count
