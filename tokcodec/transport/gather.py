"""Packets of many senders to pictures that grow."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tokcodec.link import Receiver
from tokcodec.link.receiver import Verdict
from tokcodec.transport.message import ID

SENDERS = 32  # that are listened to at once; who has been silent longest is forgotten
MEMORY = 1 << 20  # bytes for each
LEFT = 1024  # pictures of forgotten senders that wait to be asked for; then the oldest go


class Picture(NamedTuple):
    """A picture so far: an id that it keeps while it grows, and its stream."""

    id: bytes
    stream: bytes
    complete: bool


@dataclass
class _Known:
    id: bytes
    stream: bytes
    last: float


@dataclass
class _Sender:
    receiver: Receiver
    pictures: dict[int, _Known] = field(default_factory=dict)
    grown: dict[int, bool] = field(default_factory=dict)  # number: complete


class Gatherer:
    """A `link.Receiver` a sender: their numbers do not meet.

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
        self._new()  # tells wrong arguments

    def add(self, packet: bytes, sender: Hashable) -> bool:
        """Take one packet; whether it made a picture complete."""
        found = self._senders.get(sender)
        if found is None:
            found = self._senders[sender] = _Sender(self._new())
            if len(self._senders) > SENDERS:
                _, forgotten = self._senders.popitem(last=False)
                self._left.extend(self._grown(forgotten))
        self._senders.move_to_end(sender)
        state = found.receiver.add(packet)
        if state.verdict is not Verdict.NEW or state.picture is None:
            return False
        done = state.complete and not found.grown.get(state.picture)
        found.grown[state.picture] = state.complete
        return done

    def grown(self) -> Iterator[Picture]:
        """The pictures that have more to show than when this was last asked."""
        while self._left:
            yield self._left.popleft()
        for sender in self._senders.values():
            yield from self._grown(sender)

    def _grown(self, sender: _Sender) -> Iterator[Picture]:
        now = self._clock()
        for number, known in list(sender.pictures.items()):
            if now - known.last > self._timeout:
                del sender.pictures[number]
        for number, complete in sender.grown.items():
            stream = sender.receiver.data(number)
            known = sender.pictures.get(number, _Known(b"", b"", now))
            if len(stream) <= len(known.stream) and known.stream.startswith(stream):
                known.last = now
                continue
            goes_on = bool(known.id) and stream.startswith(known.stream)
            identity = known.id if goes_on else secrets.token_bytes(ID)
            sender.pictures[number] = _Known(identity, stream, now)
            yield Picture(identity, stream, complete)
        sender.grown.clear()

    def _new(self) -> Receiver:
        return Receiver(self._check, timeout=self._timeout, max_bytes=MEMORY, clock=self._clock)
