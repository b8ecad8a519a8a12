"""A picture's stream onto its transport: as one message, or as packets."""

from __future__ import annotations

import math
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

import tokcodec
from tokcodec import link
from tokcodec.errors import ArgumentError
from tokcodec.limits import MAX_PIXELS
from tokcodec.link.packet import PICTURES
from tokcodec.link.protection import at_most
from tokcodec.link.sender import LOSS
from tokcodec.reference import Given
from tokcodec.transport import message
from tokcodec.transport.address import Address
from tokcodec.transport.interface import MAX_WAIT, End, Sink
from tokcodec.transport.udp import MAX_DATAGRAM, UdpSink

BLACK = np.zeros((1, 1, 3), np.uint8)  # a picture like any other
MARGIN = 1.1  # a number rests longer than the receiver remembers it
SPARE = 8  # bytes more than may be sent: `split` takes what is worth most


class Sender(End):
    """Sends pictures.

    Attributes:
        together: as many as `send` had best be given at once.
        tells_ids: whether the other end knows pictures by their ids.
    """

    together = 1
    tells_ids = False

    @abstractmethod
    def room(self, max_bytes: int | None) -> int | None:
        """How long a stream may be so that `max_bytes` go over the wire; None for any length.

        Raises:
            ArgumentError: no stream is so short.
        """

    def check(self, sample: Callable[[], bytes]) -> None:
        """Raise ArgumentError if streams like this one cannot be sent with these options at all."""

    @abstractmethod
    def send(self, pictures: Sequence[tuple[bytes, bytes]], timeout: float | None) -> list[int]:
        """Send pictures, each an id and a stream; bytes that went over the wire for each.

        Raises:
            LinkError: as `Sink.send`.
            ArgumentError, StreamError, UnknownModelError: one of them cannot be sent this way.
        """


class Messages(Sender):
    """Each picture is one message: its id, and its stream."""

    tells_ids = True

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def room(self, max_bytes: int | None) -> int | None:
        if max_bytes is None:
            return None
        if max_bytes <= message.ID:
            raise ArgumentError(f"max_bytes is above {message.ID}, as the picture's id takes those")
        return max_bytes - message.ID

    def send(self, pictures: Sequence[tuple[bytes, bytes]], timeout: float | None) -> list[int]:
        messages = [message.write(identity, stream) for identity, stream in pictures]
        for data in messages:
            self._sink.send(data, timeout)
        return [len(data) for data in messages]

    def close(self) -> None:
        self._sink.close()


@dataclass(frozen=True)
class Cutting:
    """How pictures are cut into packets; `link.split` says more of each.

    Attributes:
        mtu: bytes of a packet.
        max_bytes: of all packets of a picture; None for as many as its stream needs.
        protect, check, loss: of `link.split`.
        forget: seconds after which the receiver has forgotten a picture's number.
        rate: bytes a second at most; None for no limit.
        together: pictures whose packets take turns, as in `link.interleave`; at least 1.
        reference: what the pictures were encoded with.
        max_pixels: protection refuses larger pictures, which it would have to read.
    """

    mtu: int = 1200
    max_bytes: int | None = None
    protect: str = "priority"
    check: str = "crc16"
    loss: link.Channel = LOSS
    forget: float = 30.0
    rate: float | None = None
    together: int = 1
    reference: Given | None = None
    max_pixels: int | None = MAX_PIXELS

    def apart(self) -> float:
        """Seconds from one packet of a picture to its next, at most."""
        longest = self.mtu if self.max_bytes is None else min(self.mtu, self.max_bytes)
        return 0.0 if self.rate is None else self.together * longest / self.rate


@dataclass
class _Begun:
    """Pictures on their way: what is left of their packets, and when the last one went."""

    pictures: list[tuple[bytes, bytes]]
    numbers: list[int]
    sizes: list[int] = field(default_factory=list)
    left: deque[bytes] = field(default_factory=deque)
    last: float = -math.inf


class Packets(Sender):
    """Each picture is cut into packets of `tokcodec.link`.

    The 128 numbers of pictures come round again, each when the receiver has forgotten it: `send`
    waits for that. Where the link breaks in the middle of pictures, `send` of the same ones goes on
    there, unless the receiver has forgotten what it had.
    """

    def __init__(
        self, sink: Sink, cutting: Cutting, clock: Callable[[], float] = time.monotonic
    ) -> None:
        if cutting.rate is not None and not 0 < cutting.rate < math.inf:
            raise ArgumentError(f"rate is above 0 bytes a second, not {cutting.rate}")
        if not 0 < cutting.forget < math.inf:
            raise ArgumentError(
                "forget, after which a number is free again, is some seconds above 0, not "
                f"{cutting.forget}"
            )
        if not 1 <= cutting.together <= PICTURES:
            raise ArgumentError(f"together is 1 to {PICTURES} pictures, not {cutting.together}")
        apart = cutting.apart()
        if apart >= cutting.forget:
            raise ArgumentError(
                f"two packets of a picture would be {apart:.0f} seconds apart, and the receiver "
                f"forgets it after {cutting.forget:g}: give a longer forget at both ends, a higher "
                "rate, a smaller mtu or fewer together"
            )
        self.together = cutting.together
        self._sink, self._cutting, self._clock = sink, cutting, clock
        self._number, self._begun = 0, _Begun([], [])
        self._free = [-float("inf")] * PICTURES  # when each number may be used again
        self._next = -float("inf")  # when the next packet may go
        # Tells wrong arguments, and that reedsolo is missing: later it would be a picture's fault.
        self.check(lambda: tokcodec.encode(BLACK))

    def check(self, sample: Callable[[], bytes]) -> None:
        self._cut(sample(), 0, 1, least=2)

    def room(self, max_bytes: int | None) -> int | None:
        if max_bytes is not None and max_bytes < 1:
            raise ArgumentError(f"max_bytes is above 0, not {max_bytes}")
        return None if max_bytes is None else max_bytes + SPARE

    def send(self, pictures: Sequence[tuple[bytes, bytes]], timeout: float | None) -> list[int]:
        begun = self._begun
        late = self._clock() - begun.last > self._cutting.forget
        if not begun.left or late or begun.pictures != list(pictures):
            begun = self._begin(pictures)
        while begun.left:
            self._sleep_until(self._next)
            self._sink.send(begun.left[0], timeout)
            packet, begun.last = begun.left.popleft(), self._clock()
            for number in begun.numbers:
                self._free[number] = begun.last + MARGIN * self._cutting.forget
            if self._cutting.rate is not None:
                self._next = max(begun.last, self._next) + len(packet) / self._cutting.rate
        return begun.sizes

    def close(self) -> None:
        self._sink.close()

    def _begin(self, pictures: Sequence[tuple[bytes, bytes]]) -> _Begun:
        """Cut pictures, and wait until their numbers are free."""
        numbers = [(self._number + i) % PICTURES for i in range(len(pictures))]
        several = [
            self._cut(stream, number, len(pictures))
            for (_, stream), number in zip(pictures, numbers, strict=True)
        ]
        for number in numbers:
            self._sleep_until(self._free[number])
        self._number = (self._number + len(pictures)) % PICTURES
        sizes = [sum(map(len, packets)) for packets in several]
        left = deque(link.interleave(several))
        self._begun = _Begun(list(pictures), numbers, sizes, left, self._clock())
        return self._begun

    def _cut(
        self, stream: bytes, number: int, together: int, least: int | None = None
    ) -> list[bytes]:
        c, count = self._cutting, least
        mtu = c.mtu
        if c.max_bytes is not None:
            mtu = min(mtu, c.max_bytes)
            count = at_most(max(1, c.max_bytes // mtu), c.protect != "none")
        return link.split(
            stream,
            mtu,
            protect=c.protect,
            check=c.check,
            picture=number,
            packets=count,
            loss=c.loss.every(together),
            reference=c.reference,
            max_pixels=c.max_pixels,
        )

    def _sleep_until(self, moment: float) -> None:
        while (wait := moment - self._clock()) > 0:
            time.sleep(min(wait, MAX_WAIT))


def open_sender(address: Address, qos: int, cutting: Cutting) -> Sender:
    """The sender for an address.

    Args:
        address: where to.
        qos: for MQTT.
        cutting: for UDP.

    Raises:
        ArgumentError: what the transport needs is not installed, or an argument has no meaning.
        LinkError: there is no such host, or no such peer.
    """
    if address.scheme == "udp":
        if cutting.mtu > MAX_DATAGRAM:
            raise ArgumentError(
                f"packets over UDP have at most {MAX_DATAGRAM:,} bytes, not {cutting.mtu}"
            )
        return Packets(UdpSink(address.host, address.port), cutting)
    if address.scheme == "zenoh":
        from tokcodec.transport.zenoh import ZenohSink

        return Messages(ZenohSink(address))
    from tokcodec.transport.mqtt import MqttSink

    return Messages(MqttSink(address, qos))
