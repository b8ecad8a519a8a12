"""Pictures to packets: numbered, within a rate and a size, and sent on where the link broke."""

from __future__ import annotations

import pytest

import tokcodec
from tests.transport.clock import Clock
from tokcodec import link
from tokcodec.errors import ArgumentError, LinkError
from tokcodec.link import packet as packets_of
from tokcodec.transport.address import Address
from tokcodec.transport.gather import Gatherer
from tokcodec.transport.interface import Sink
from tokcodec.transport.senders import Cutting, Packets, open_sender


class Wire(Sink):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, data: bytes, timeout: float | None = None) -> None:
        self.sent.append(data)

    def close(self) -> None:
        pass


class Blinking(Wire):
    """A link that is gone now and then."""

    def __init__(self, gone: set[int]) -> None:
        super().__init__()
        self.tries, self.gone = 0, gone

    def send(self, data: bytes, timeout: float | None = None) -> None:
        self.tries += 1
        if self.tries in self.gone:
            raise LinkError("no network")
        super().send(data, timeout)


def test_numbers_rest_until_they_are_free(stream: bytes, monkeypatch: pytest.MonkeyPatch):
    clock, slept, wire = Clock(), [], Wire()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now += seconds

    monkeypatch.setattr("time.sleep", sleep)
    with Packets(wire, Cutting(protect="none", forget=20.0), clock) as sender:
        for _ in range(130):
            sender.send([(b"", stream)], None)
            clock.now += 0.1
    assert len(slept) == 1  # 128 numbers took 12.8 seconds; the 129th picture waits
    assert slept[0] == pytest.approx(22 - 12.8)


def test_a_picture_goes_on_where_the_link_broke(stream: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.sleep", lambda s: pytest.fail("it waits"))
    clock, wire = Clock(), Blinking({4, 6})
    sender = Packets(wire, Cutting(mtu=51, forget=20.0), clock)
    for _ in range(2):
        with pytest.raises(LinkError):
            sender.send([(b"", stream)], None)
        clock.now += 5
    sizes = sender.send([(b"", stream)], None)
    assert sizes == [sum(map(len, wire.sent))]
    gatherer = Gatherer("crc16", 10)
    for packet in wire.sent:
        gatherer.add(packet, "here")
    (picture,) = gatherer.grown()
    assert picture.complete
    assert stream.startswith(picture.stream)


def test_what_the_receiver_has_forgotten_is_sent_anew(stream: bytes):
    clock, wire = Clock(), Blinking({4})
    sender = Packets(wire, Cutting(mtu=51, forget=20.0), clock)
    with pytest.raises(LinkError):
        sender.send([(b"", stream)], None)
    clock.now += 21
    (size,) = sender.send([(b"", stream)], None)
    assert size == sum(map(len, wire.sent[3:]))
    numbers = [packets_of.read(data, "crc16").picture for data in wire.sent]
    assert numbers == [0] * 3 + [1] * (len(numbers) - 3)


def test_rate_and_bytes(stream: bytes, monkeypatch: pytest.MonkeyPatch):
    clock, wire = Clock(), Wire()
    monkeypatch.setattr("time.sleep", lambda s: setattr(clock, "now", clock.now + s))
    sender = Packets(wire, Cutting(mtu=51, max_bytes=222, rate=100.0), clock)
    for _ in range(5):
        sender.send([(b"", stream)], None)
    assert sum(map(len, wire.sent)) <= 5 * 222
    assert max(map(len, wire.sent)) <= 51
    assert clock.now == pytest.approx((sum(map(len, wire.sent)) - len(wire.sent[-1])) / 100)
    for rate in (0.0, float("nan"), float("inf")):
        with pytest.raises(ArgumentError, match="rate"):
            Packets(wire, Cutting(rate=rate))
    for forget in (0.0, -5.0, float("nan"), float("inf")):
        with pytest.raises(ArgumentError, match="free again"):
            Packets(wire, Cutting(forget=forget))
    with pytest.raises(ArgumentError, match="over UDP"):
        open_sender(Address.parse("udp://127.0.0.1:5700"), 1, Cutting(mtu=65_535))
    with pytest.raises(ArgumentError, match="small"):
        Packets(wire, Cutting(mtu=6))
    with pytest.raises(ArgumentError, match=r"120 seconds apart.*longer forget"):
        Packets(wire, Cutting(mtu=1200, rate=40.0, together=4))


@pytest.mark.parametrize("protect", ["priority", "none"])
@pytest.mark.parametrize("most", [6000, 3010])  # more than 510 packets of 10 bytes; odd, above 255
def test_any_number_of_bytes_is_a_limit(stream: bytes, protect: str, most: int):
    wire = Wire()
    sender = Packets(wire, Cutting(mtu=10, max_bytes=most, protect=protect))
    sender.send([(b"", stream)], None)
    assert 0 < sum(map(len, wire.sent)) <= most
    gatherer = Gatherer("crc16", 10)
    for packet in wire.sent:
        gatherer.add(packet, "here")
    assert [picture.complete for picture in gatherer.grown()] == [True]


def test_pictures_take_turns(stream: bytes, photograph):
    other, wire = tokcodec.encode(photograph("coffee", 60, 40), max_bytes=300), Wire()
    cutting = Cutting(mtu=60, max_bytes=480, together=3, loss=link.bursty(0.2))
    sender = Packets(wire, cutting)
    assert sender.together == 3
    sizes = sender.send([(b"", stream), (b"", other)], None)
    numbers = [packets_of.read(data, "crc16").picture for data in wire.sent]
    assert numbers == [0, 1] * 8
    assert sizes == [480, 480]
    sender.send([(b"", stream)], None)
    assert {packets_of.read(data, "crc16").picture for data in wire.sent[16:]} == {2}
    with pytest.raises(ArgumentError, match="together is 1 to 128"):
        Packets(wire, Cutting(together=0))
