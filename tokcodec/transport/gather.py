"""Packets of many senders to pictures that grow."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from tokcodec.link import Receiver
from tokcodec.link.receiver import LEAST, Verdict, sound
from tokcodec.transport.message import ID

SENDERS = 256  # that are listened to at once
MEMORY = LEAST  # bytes for each
LEFT = 1024  # pictures of forgotten senders that wait to be asked for; then the oldest go
HEAD = 64  # bytes by which a picture of which less is here than before is known again


class Picture(NamedTuple):
    """A picture so far: an id that it keeps while it grows, and its stream."""

    id: bytes
    stream: bytes
    complete: bool


@dataclass
class _Known:
    """What was shown of a picture: not its bytes, which add up."""

    id: bytes
    last: float
    length: int = 0
    digest: bytes = b""
    head: bytes = b""

    def show(self, stream: bytes) -> None:
        """So much of it was."""
        self.length, self.digest, self.head = len(stream), sha256(stream).digest(), stream[:HEAD]

    def begins(self, stream: bytes) -> bool:
        """Whether a stream goes on with what was shown."""
        return len(stream) > self.length and (
            not self.length or sha256(stream[: self.length]).digest() == self.digest
        )

    def covers(self, stream: bytes) -> bool:
        """Whether so much of it was shown before."""
        if len(stream) == self.length:
            return sha256(stream).digest() == self.digest
        return len(stream) < self.length and self.head.startswith(stream[:HEAD])


@dataclass
class _Sender:
    receiver: Receiver
    last: float = 0.0
    pictures: dict[int, _Known] = field(default_factory=dict)
    grown: dict[int, bool] = field(default_factory=dict)  # number: complete
    going_on: set[int] = field(default_factory=set)  # numbers of which more is to come


class Gatherer:
    """A `link.Receiver` a sender: their numbers do not meet.

    At most `SENDERS` are listened to. Where there is a further one, who has been silent longest is
    forgotten, of those that have sent all of their pictures or rest for `timeout`; while there is
    none, further ones are not listened to.

    Attributes:
        unheard: packets of such.

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
        self._left: deque[Picture] = deque(maxlen=LEFT)
        self.unheard = 0
        self._new()  # tells wrong arguments

    def add(self, packet: bytes, sender: Hashable) -> bool:
        """Take one packet; whether it made a picture complete."""
        if sound(packet, self._check) is None:
            return False  # before a sender is made of it: anybody can send a byte
        now, found = self._clock(), self._senders.get(sender)
        if found is None:
            if not self._make_room(now):
                self.unheard += 1
                return False
            found = self._senders[sender] = _Sender(self._new())
        self._senders.move_to_end(sender)
        found.last = now
        state = found.receiver.add(packet)
        if state.picture is not None:
            (found.going_on.discard if state.complete else found.going_on.add)(state.picture)
        if state.verdict is not Verdict.NEW or state.picture is None:
            return False
        done = state.complete and not found.grown.get(state.picture)
        found.grown[state.picture] = state.complete
        return done

    def _make_room(self, now: float) -> bool:
        """For one sender more, if that can be."""
        if len(self._senders) < SENDERS:
            return True
        for name, sender in self._senders.items():  # who has been silent longest comes first
            if not sender.going_on or now - sender.last > self._timeout:
                self._left.extend(self._grown(sender))
                del self._senders[name]
                return True
        return False

    def grown(self) -> Iterator[Picture]:
        """The pictures that have more to show than when this was last asked."""
        while self._left:
            yield self._left[0]
            self._left.popleft()
        for sender in self._senders.values():
            yield from self._grown(sender)

    def _grown(self, sender: _Sender) -> Iterator[Picture]:
        now = self._clock()
        for number, shown in list(sender.pictures.items()):
            if now - shown.last > self._timeout:
                del sender.pictures[number]
        for number, complete in list(sender.grown.items()):
            stream = sender.receiver.data(number)
            known = sender.pictures.get(number)
            if stream and (known is None or not known.covers(stream)):
                if known is None or not known.begins(stream):
                    known = sender.pictures[number] = _Known(secrets.token_bytes(ID), now)
                yield Picture(known.id, stream, complete)
                known.show(stream)  # now that whoever asked has dealt with it
            if known is not None:
                known.last = now
            del sender.grown[number]

    def _new(self) -> Receiver:
        return Receiver(self._check, timeout=self._timeout, max_bytes=MEMORY, clock=self._clock)
