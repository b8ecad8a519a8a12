"""What a stream's prefixes are worth, and what a link loses, to the curve that protects best.

Mohr, Riskin and Ladner (2000) search all assignments of parity to bytes. Here the 127 curves that
a packet can name are tried instead: for 4 to 24 packets at losses of 5 to 60 %, single and in
bursts, the best of them is within 0.03 dB of the best assignment on average. Up to 0.2 dB is then
given for a curve that shows a picture at all more surely, 0.1 for one picture in 1,000: the mean
hardly sees one that stays away, but whoever waits for it does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tokcodec.link.channel import Channel
from tokcodec.link.protection import CURVES, GRADES, PLAIN, curve, groups, scheme_of

LEEWAY = 0.2  # decibels on average that may be given for showing a picture at all
PRICE = 100.0  # decibels that this is worth, times its probability
EQUAL = tuple(scheme_of(grade, grade) for grade in range(1, GRADES + 1))


class Plan(NamedTuple):
    """How a stream travels.

    Attributes:
        scheme: 0 (plain) to 127.
        length: bytes of a body; in the plain scheme at most.
        used: bytes of the stream that are sent.
        expected: PSNR in dB, averaged over what the link loses.
    """

    scheme: int
    length: int
    used: int
    expected: float


def choose(
    worth: np.ndarray, count: int, length: int, loss: Channel, protect: str = "priority"
) -> Plan:
    """The plan that shows the best picture on average, or within 0.2 dB of it one that more surely
    shows any.

    Args:
        worth: decibels of the picture after each number of bytes: float64 (bytes + 1,).
        count: packets.
        length: room for a body, in bytes.
        loss: the link.
        protect: "priority" (any curve), "equal" (one rate for all bytes) or "none".
    """
    size = len(worth) - 1
    schemes = {"priority": (PLAIN, *range(1, CURVES + 1)), "equal": EQUAL, "none": (PLAIN,)}
    outlooks = {s: expected(worth, s, count, length, loss) for s in schemes[protect]}
    floor = max(outlook.decibels for outlook in outlooks.values()) - LEEWAY

    def rank(scheme: int) -> tuple[bool, float]:
        """Schemes within the leeway first, by decibels and the chance of a picture; then the
        others, by decibels. Rounded: of curves that come to the same the first wins.
        """
        decibels, chance = outlooks[scheme]
        below = decibels < floor
        return below, -round(decibels + (0.0 if below else PRICE * chance), 9)

    for scheme in sorted(outlooks, key=rank):
        mean = outlooks[scheme].decibels
        if scheme == PLAIN:
            return Plan(scheme, length, min(size, count * length), mean)
        fitted = fit(size, scheme, count, length)
        if fitted is not None:
            return Plan(scheme, *fitted, mean)
    raise AssertionError("the lowest curve takes any stream")


class Outlook(NamedTuple):
    """What a link shows of a picture on average.

    Attributes:
        decibels: mean PSNR of what arrives.
        chance: probability that it shows more than no bytes at all would.
    """

    decibels: float
    chance: float


def expected(worth: np.ndarray, scheme: int, count: int, length: int, loss: Channel) -> Outlook:
    """What is to be expected of a scheme; arguments as for `choose`."""
    size = len(worth) - 1
    if scheme == PLAIN:
        shown = worth[np.minimum(np.arange(count + 1) * length, size)]
        return _mean(loss.unbroken(count), shown, worth)
    several = groups(count)
    ends = curve(scheme, count // several, length)
    columns = np.bincount(ends, minlength=count // several + 1)  # by their bytes
    shown = worth[np.minimum(several * np.cumsum(columns * np.arange(len(columns))), size)]
    return _mean(_fewest(loss, count), shown, worth)


def _mean(chances: np.ndarray, shown: np.ndarray, worth: np.ndarray) -> Outlook:
    """Over cases of these chances, in each of which so many decibels are shown."""
    return Outlook(float(chances @ shown), float(chances @ (shown > worth[0])))


def _fewest(loss: Channel, count: int) -> np.ndarray:
    """Probabilities of the number of packets that arrive of the group that loses most.

    Two groups are taken as independent, which every second packet of a burst nearly is.
    """
    several = groups(count)
    found = loss.every(several).received(count // several)
    if several == 1:
        return found
    at_least = np.append(np.cumsum(found[::-1])[::-1], 0.0) ** several
    return -np.diff(at_least)


def fit(size: int, scheme: int, count: int, room: int) -> tuple[int, int] | None:
    """The length of the bodies, at most `room`, that a stream of `size` bytes fills best, and how
    many of its bytes are sent; None if bodies of one byte already hold more than the whole stream.

    Bodies hold a fixed number of bytes. A stream is brought to that number by filling: bytes of no
    meaning at its end, and after them one that tells how many they are. All filling must lie in
    the last column: then no prefix that lacks that column holds any. Tried in turn: bodies of
    full length, if the stream is too long for them; the shortest bodies that hold all of the
    stream, where the filling lies right; the longest that hold only part of it, without filling.
    """
    several = groups(count)

    def holds(length: int) -> tuple[int, int]:
        """How many bytes of the stream and its filling all bodies hold; and how many bytes, with
        the one that counts the filling, lie in the last column (at most 256 of use: it counts no
        further).
        """
        k = curve(scheme, count // several, length)
        return several * int(k.sum()) - 1, min(several * int(k[-1]), 256)

    low, high = 1, room
    if holds(room)[0] <= size:
        return room, holds(room)[0]
    while low < high:  # the shortest body that holds everything
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle)[0] >= size else (middle + 1, high)
    for length in range(low, min(low + 3, room) + 1):
        capacity, last = holds(length)
        if size <= capacity < size + last:
            return length, size
    while low > 0 and holds(low)[0] > size:  # a few bytes of the tail stay behind
        low -= 1
    return (low, holds(low)[0]) if low else None
