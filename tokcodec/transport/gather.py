"""Packets of many senders to pictures, each shown again whenever more of it has arrived."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from tokcodec.link import Receiver
from tokcodec.link.receiver import FIXED, MIN_MEMORY, Verdict, sound
from tokcodec.transport.message import ID

MAX_SENDERS = 256  # that are listened to at once
OWN = MIN_MEMORY  # bytes of memory for each
SHARED = 1 << 26  # and for all that need more, together: a picture may have 33 MB of packets
MAX_WAITING = 1024  # pictures that wait to be asked for; the oldest go
MAX_WAITING_BYTES = 1 << 26  # of them together
HEAD = 64  # bytes by which a stream is recognised that is shorter than what was shown of it


class Picture(NamedTuple):
    """A picture so far: an id that it keeps while it grows, and its stream."""

    id: bytes
    stream: bytes
    complete: bool


@dataclass
class _Known:
    """What was shown of a picture, if anything. To save memory only a hash of its bytes is kept.

    Attributes:
        id: of the picture.
        last: time at which more of it arrived last.
        length, digest: of the stream that was shown: bytes, SHA-256.
        head: its first `HEAD` bytes.
        complete: whether all of it was shown.
    """

    id: bytes
    last: float
    length: int = 0
    digest: bytes = b""
    head: bytes = b""
    complete: bool = False

    def show(self, stream: bytes, complete: bool = False) -> None:
        """Note that this stream was shown."""
        self.complete |= complete
        self.length, self.digest, self.head = len(stream), sha256(stream).digest(), stream[:HEAD]

    def begins(self, stream: bytes) -> bool:
        """Whether what was shown is a proper prefix of a stream."""
        return len(stream) > self.length and (
            not self.length or sha256(stream[: self.length]).digest() == self.digest
        )

    def covers(self, stream: bytes) -> bool:
        """Whether a stream is what was shown, or a shorter one with the same head."""
        if len(stream) == self.length:
            return sha256(stream).digest() == self.digest
        return len(stream) < self.length and self.head.startswith(stream[:HEAD])


@dataclass
class _Sender:
    receiver: Receiver
    last: float = 0.0
    shared: int = 0  # bytes of memory that it has beyond `OWN`, from `SHARED`
    pictures: dict[int, _Known] = field(default_factory=dict)
    grown: set[int] = field(default_factory=set)  # incomplete pictures with more to show, by number
    going_on: set[int] = field(default_factory=set)  # incomplete pictures, by number


class Gatherer:
    """Has a `link.Receiver` for each sender, since two may give a picture the same number.

    At most `MAX_SENDERS` are listened to. A further one takes the place of the sender that has been
    silent longest, among those with no unfinished picture or silent for `timeout`. If there is no
    such sender, the further one is not listened to.

    A sender has `OWN` bytes of memory for what is on its way, and what others leave of `SHARED`.
    Pictures that are complete wait to be asked for, at most `MAX_WAITING`, of at most
    `MAX_WAITING_BYTES` together.

    Attributes:
        unheard: packets of senders that are not listened to.
        crowded: packets for which there was no memory.
        missed: pictures that were complete, and gone before they were asked for.
        broken: pictures that were forgotten before they were complete.

    Args:
        check: as the senders'.
        timeout: seconds after its last packet that a picture's number is free again.
        clock: seconds, never going back.
    """

    def __init__(
        self, check: str, timeout: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._check, self._timeout, self._clock = check, timeout, clock
        self._senders: OrderedDict[Hashable, _Sender] = OrderedDict()
        self._waiting: deque[Picture] = deque()
        self.unheard = self.crowded = self.missed = self.broken = 0
        self._new()  # tells wrong arguments

    def add(self, packet: bytes, sender: Hashable) -> bool:
        """Take one packet; whether it made a picture complete."""
        if sound(packet, self._check) is None:
            return False  # damaged or foreign: it must not take a sender's place
        found = self._listened(sender)
        if found is None:
            self.unheard += 1
            return False
        if not self._has_room(found, len(packet) + FIXED):
            self.crowded += 1
            return False
        state = found.receiver.add(packet)
        found.shared = max(0, found.receiver.size - OWN)
        if state.picture is None:
            return False
        (found.going_on.discard if state.complete else found.going_on.add)(state.picture)
        if state.verdict is not Verdict.NEW:
            self.crowded += state.verdict is Verdict.FULL
            return False
        if not state.complete:
            found.grown.add(state.picture)
            found.pictures.setdefault(state.picture, self._unseen()).last = self._clock()
            return False
        picture = self._seen(found, state.picture, found.receiver.take(state.picture), True)
        if not found.receiver.data(state.picture):  # else an unfinished one has its number, too
            found.grown.discard(state.picture)
        if picture is None:
            return False
        found.pictures[state.picture].show(picture.stream, complete=True)
        self._keep(picture)
        return True

    def _listened(self, name: Hashable) -> _Sender | None:
        """A sender, who may be new; None if there are too many."""
        now, found = self._clock(), self._senders.get(name)
        if found is None:
            if not self._make_room(now):
                return None
            found = self._senders[name] = _Sender(self._new())
        self._senders.move_to_end(name)
        self._forget(found)
        found.last = now
        return found

    def _has_room(self, sender: _Sender, size: int) -> bool:
        """Whether so much more of a sender can be kept."""
        if sender.receiver.size + size <= OWN:
            return True
        return sum(each.shared for each in self._senders.values()) + size <= SHARED

    def _make_room(self, now: float) -> bool:
        """Make room for one more sender; whether there is."""
        if len(self._senders) < MAX_SENDERS:
            return True
        for name, sender in self._senders.items():  # who has been silent longest comes first
            if not sender.going_on or now - sender.last > self._timeout:
                for picture in self._grown(sender):
                    self._keep(picture)
                del self._senders[name]
                return True
        return False

    def _keep(self, picture: Picture) -> None:
        """Keep a picture until it is asked for; the oldest are dropped at the limits."""
        self._waiting.append(picture)
        while (
            len(self._waiting) > MAX_WAITING
            or sum(len(p.stream) for p in self._waiting) > MAX_WAITING_BYTES
        ):
            self.missed += self._waiting.popleft().complete

    def grown(self) -> Iterator[Picture]:
        """The pictures that have more to show than when this was last asked."""
        while self._waiting:
            yield self._waiting[0]
            self._waiting.popleft()  # now that whoever asked has dealt with it
        for sender in self._senders.values():
            yield from self._grown(sender)

    def _grown(self, sender: _Sender) -> Iterator[Picture]:
        self._forget(sender)
        for number in list(sender.grown):
            picture = self._seen(sender, number, sender.receiver.data(number), False)
            if picture is not None:
                yield picture
                sender.pictures[number].show(picture.stream)
            sender.grown.discard(number)

    def _forget(self, sender: _Sender) -> None:
        """Forget pictures that have rested for `timeout`: their numbers are free again."""
        now = self._clock()
        for number, shown in list(sender.pictures.items()):
            if now - shown.last > self._timeout:
                del sender.pictures[number]
                self.broken += not shown.complete
        sender.shared = max(0, sender.receiver.size - OWN)

    def _seen(self, sender: _Sender, number: int, stream: bytes, complete: bool) -> Picture | None:
        """A picture, if there is more of it than was shown."""
        known, now = sender.pictures.get(number), self._clock()
        if stream and (known is None or not known.covers(stream)):
            if known is None or not known.begins(stream):
                self.broken += known is not None and not known.complete  # its number is taken
                known = sender.pictures[number] = self._unseen()
            known.last = now
            return Picture(known.id, stream, complete)
        if known is not None:
            known.last = now
        return None

    def _unseen(self) -> _Known:
        """A picture of which nothing was shown yet."""
        return _Known(secrets.token_bytes(ID), self._clock())

    def _new(self) -> Receiver:
        most = OWN + SHARED
        return Receiver(self._check, timeout=self._timeout, max_bytes=most, clock=self._clock)
