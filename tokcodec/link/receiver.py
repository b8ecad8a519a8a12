"""Packets in any order, damaged, doubled, of many pictures, to the pictures so far."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from PIL import Image

import tokcodec
from tokcodec.arguments import is_number, is_whole
from tokcodec.errors import ArgumentError, TruncatedHeaderError
from tokcodec.link import packet as packets_of
from tokcodec.link import protection
from tokcodec.link.packet import PICTURES, Packet
from tokcodec.link.short import lengthen
from tokcodec.stream import header as headers

MIN_MEMORY = 1 << 19  # bytes of memory: a quarter of it holds any packet
FRESH = 4  # one part in so many of the memory is for pictures of one packet
FIXED = 200  # bytes that a packet's keeping takes beside its body, about


class Verdict(StrEnum):
    """What became of a packet."""

    NEW = "new"  # it told something
    DUPLICATE = "duplicate"  # its place was taken: the first to come stays
    DAMAGED = "damaged"  # dropped: no packet, or its check does not fit
    FULL = "full"  # dropped: its picture alone would take all memory


@dataclass(frozen=True)
class State:
    """A picture after a packet.

    Attributes:
        verdict: what became of the packet.
        picture: number of its picture, 0..127; None if it was damaged.
        received: packets of the picture so far, of `count` sent.
        complete: all that was sent of the stream is here, whatever is still on the way.
    """

    verdict: Verdict
    picture: int | None = None
    received: int = 0
    count: int = 0
    complete: bool = False


class _Key(NamedTuple):
    """What all packets of a picture have in common. Packets that disagree in any of these belong
    to different pictures: a false one spoils none.
    """

    picture: int  # its number
    scheme: int
    packets: int
    length: int  # bytes of a body; 0 in the plain scheme, where the last one is shorter

    @classmethod
    def of(cls, packet: Packet) -> _Key:
        length = 0 if packet.scheme == protection.PLAIN else len(packet.body)
        return cls(packet.picture, packet.scheme, packet.count, length)


@dataclass
class _Part:
    """A picture on its way.

    Attributes:
        key: what its packets have in common.
        started: how many packets, of all pictures, had come before its first.
        bodies: those that came, by index.
        size: bytes of memory that they take, about.
        last: when the latest packet came, by the receiver's clock.
        taken: whether the stream was handed out for good; the bodies are empty from then on.
    """

    key: _Key
    started: int
    bodies: dict[int, bytes] = field(default_factory=dict)
    size: int = 0
    last: float = 0.0
    taken: bool = False
    _known: tuple[int, bytes, bool] = (0, b"", False)  # `prefix` after so many bodies

    def let_go(self) -> None:
        """Of all bytes of a complete picture; which packets came is remembered."""
        self.bodies = dict.fromkeys(self.bodies, b"")
        self.size, self.taken = FIXED * len(self.bodies), True
        self.forget()

    def prefix(self) -> tuple[bytes, bool]:
        """The stream so far, and whether this is all that was sent; empty once it was taken."""
        if self.taken:
            return b"", True
        _, scheme, count, length = self.key
        if self._known[0] != len(self.bodies):
            if scheme == protection.PLAIN:
                found, complete = _pieces(self.bodies), len(self.bodies) == count
            else:
                found, complete = protection.prefix(self.bodies, scheme, count, length)
                if complete:  # the last byte tells how many before it are filling
                    found = found[: max(0, len(found) - 1 - found[-1])]
            self._known = len(self.bodies), lengthen(found), complete
        return self._known[1:]

    def forget(self) -> None:
        """Let go of what was worked out; packets stay."""
        self._known = 0, b"", False

    def complete(self) -> bool:
        """Whether all that was sent of the stream can be had from what came."""
        _, scheme, count, length = self.key
        if scheme == protection.PLAIN:
            return len(self.bodies) == count
        return protection.enough(set(self.bodies), scheme, count, length)

    def shows(self) -> bool:
        """Whether the stream's header is here, whole."""
        data, _ = self.prefix()
        return bool(data) and not _truncated(data)


class _Shelf:
    """Pictures, the one touched last at the end; the others go when there is no room."""

    def __init__(self, pictures: int, size: int) -> None:
        self.parts: OrderedDict[_Key, _Part] = OrderedDict()
        self._pictures, self._size = pictures, size

    def put(self, part: _Part) -> None:
        self.parts[part.key] = part
        self.parts.move_to_end(part.key)
        size = sum(p.size for p in self.parts.values())
        while len(self.parts) > 1 and (len(self.parts) > self._pictures or size > self._size):
            size -= self.parts.popitem(last=False)[1].size

    def touch(self, part: _Part) -> None:
        """Move a picture to the end, if it is here."""
        if part.key in self.parts:
            self.parts.move_to_end(part.key)

    def expire(self, before: float) -> None:
        while self.parts and next(iter(self.parts.values())).last < before:
            self.parts.popitem(last=False)


class Receiver:
    """Gathers packets and shows what they tell.

    Memory stays within `max_bytes`. What has rested longest goes first, and pictures of a single
    packet have a quarter to themselves, so that a flood of beginnings drives out other beginnings
    only. Checks find accidents, not forgery: authenticate where that matters.

    Args:
        check: as the sender's.
        timeout: seconds after its last packet that a picture is forgotten and its number is free. A
            sender must not come back to a number sooner: 128 pictures a `timeout` at most.
        max_pictures: of more than one packet; for those that `interleave` mixes, at least as many.
        max_bytes: of packets kept, with about 200 a packet for the keeping; at least 524,288. The
            stream that was asked for last comes on top.
        clock: seconds, never going back.

    Raises:
        ArgumentError: there is no such check, or a number is out of its range.
    """

    def __init__(
        self,
        check: str = "crc8",
        *,
        timeout: float = 3600.0,
        max_pictures: int = PICTURES,
        max_bytes: int = 4 << 20,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        packets_of.check_known(check)
        numbers = is_number(timeout) and is_whole(max_pictures) and is_whole(max_bytes)
        if not numbers or not timeout > 0 or max_pictures < 1 or max_bytes < MIN_MEMORY:
            raise ArgumentError(
                "timeout is a number above 0, max_pictures a whole one from 1, max_bytes from "
                f"{MIN_MEMORY}"
            )
        self._check, self._timeout, self._clock = check, timeout, clock
        self._most = max_bytes - max_bytes // FRESH
        self._fresh = _Shelf(PICTURES, max_bytes // FRESH)  # as many as can take turns
        self._more = _Shelf(max_pictures, self._most)
        self._packets = 0

    def add(self, packet: bytes) -> State:
        """Take one packet, whatever it is.

        Raises:
            ArgumentError: it is not even bytes.
        """
        if not isinstance(packet, (bytes, bytearray, memoryview)):
            raise ArgumentError(f"a packet is bytes, not {type(packet).__name__}")
        now = self._expire()
        found = sound(packet, self._check)
        if found is None:
            return State(Verdict.DAMAGED)
        key = _Key.of(found)
        part = self._more.parts.get(key) or self._fresh.parts.get(key)
        if part is None:
            part = _Part(key, self._packets)
        self._packets += 1
        part.last = now  # even if it tells nothing new: its number is in use
        for shelf in (self._fresh, self._more):
            shelf.touch(part)
        if part.taken or found.index in part.bodies:
            return self._state(part, Verdict.DUPLICATE)
        if part.size + len(found.body) + FIXED > self._most:
            return self._state(part, Verdict.FULL)
        part.bodies[found.index] = found.body
        part.size += len(found.body) + FIXED
        if len(part.bodies) == 1:
            self._fresh.put(part)
        else:
            self._fresh.parts.pop(key, None)
            self._more.put(part)
        return self._state(part, Verdict.NEW)

    def data(self, picture: int | None = None) -> bytes:
        """The stream so far, a prefix of what the sender had; empty until its header is there.

        Args:
            picture: its number, modulo 128; None for the latest picture that has something to show.

        Raises:
            ArgumentError: `picture` is no whole number.
        """
        part = self._find(picture)
        if part is None or not part.shows():
            return b""
        data, _ = part.prefix()
        for other in self._parts():  # one copy beside the packets, not one a picture
            if other is not part:
                other.forget()
        return data

    def take(self, picture: int) -> bytes:
        """The stream of a picture that is complete; the receiver lets go of it, and further packets
        of it are duplicates. Empty if it is not complete, or was taken.

        Args:
            picture: its number, modulo 128.

        Raises:
            ArgumentError: `picture` is no whole number.
        """
        if not is_whole(picture):
            raise ArgumentError(f"a picture's number is a whole number, not {picture!r:.40}")
        part = self._find(picture)
        if part is None or not part.shows() or not part.prefix()[1]:
            return b""
        stream, _ = part.prefix()
        part.let_go()
        return stream

    def image(self, picture: int | None = None, **options: Any) -> Image.Image | None:
        """The picture so far, or None until its stream's header is there; `options` as for
        `tokcodec.decode`, `reference` among them.

        Raises:
            TokCodecError: as `tokcodec.decode`. StreamError, if damage of the header went past the
                check; other damage that did shows as another picture.
        """
        data = self.data(picture)
        return tokcodec.decode(data, **options) if data else None

    @property
    def size(self) -> int:
        """Bytes of memory that the packets at hand take, about."""
        self._expire()
        shelves = self._fresh, self._more
        return sum(part.size for shelf in shelves for part in shelf.parts.values())

    def pictures(self) -> list[State]:
        """The pictures at hand, in the order of their first packets."""
        self._expire()
        return [self._state(part, Verdict.NEW) for part in self._parts()]

    def _find(self, picture: int | None) -> _Part | None:
        if picture is not None and not is_whole(picture):
            raise ArgumentError(f"a picture's number is a whole number, not {picture!r:.40}")
        self._expire()
        parts = self._parts()
        if picture is None:
            return next((part for part in reversed(parts) if part.shows()), None)
        same = [part for part in parts if part.key.picture == picture % PICTURES]
        # A complete one comes before one that was left unfinished and has the same number.
        return max(
            same,
            key=lambda part: (not part.taken, part.complete(), len(part.bodies)),
            default=None,
        )

    def _parts(self) -> list[_Part]:
        parts = [*self._fresh.parts.values(), *self._more.parts.values()]
        return sorted(parts, key=lambda part: part.started)

    def _expire(self) -> float:
        now = self._clock()
        for shelf in (self._fresh, self._more):
            shelf.expire(now - self._timeout)
        return now

    @staticmethod
    def _state(part: _Part, verdict: Verdict) -> State:
        key, received = part.key, len(part.bodies)
        return State(verdict, key.picture, received, key.packets, part.complete())


def sound(packet: bytes, check: str) -> Packet | None:
    """A packet, read; None if it is none, or damaged as far as the check can tell."""
    found = packets_of.read(bytes(packet), check)
    return found if found and protection.possible(found.scheme, found.count) else None


def _pieces(bodies: dict[int, bytes]) -> bytes:
    """Plain bodies up to the first that is missing."""
    found: list[bytes] = []
    while len(found) in bodies:
        found.append(bodies[len(found)])
    return b"".join(found)


def _truncated(data: bytes) -> bool:
    """Whether the header goes on after these bytes; other damage is not seen here."""
    try:
        headers.parse(data)
    except TruncatedHeaderError:
        return True
    except tokcodec.TokCodecError:
        return False
    return False
