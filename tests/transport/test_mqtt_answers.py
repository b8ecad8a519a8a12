"""What brokers may answer, by one that a test plays: other versions, refusals, silence."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tokcodec.errors import ArgumentError, LinkError
from tokcodec.transport import Address
from tokcodec.transport.mqtt import MqttSink, MqttSource

pytest.importorskip("paho.mqtt.client")

PATIENCE = 60.0
CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, DISCONNECT = 8, 9, 14
WELCOME_5, WELCOME_4 = bytes([CONNACK << 4, 3, 0, 0, 0]), bytes([CONNACK << 4, 2, 0, 0])


class Packet:
    """What a client sent.

    Attributes:
        kind: of the packet, as in the standard.
        connection: which one it came over, from 1.
        data: behind its first bytes, kind and length.
        number: of a message or subscription.
        payload: of a message, QoS 1 or 2, in version 5 behind no properties.
    """

    def __init__(self, first: int, data: bytes, connection: int, version: int) -> None:
        self.kind, self.data, self.connection = first >> 4, data, connection
        self.number, self.payload = data[:2], b""
        if self.kind == PUBLISH:
            topic = int.from_bytes(data[:2], "big")
            self.number = data[2 + topic : 4 + topic]
            self.payload = data[4 + topic + (version == 5) :]

    def answer(self, kind: int, *more: int) -> bytes:
        """Of that kind, with the same number."""
        return bytes([kind << 4, 2 + len(more)]) + self.number + bytes(more)


Answer = Callable[[Packet], bytes | None]


class Played:
    """A broker that gives the answers of a test; None hangs up, as does a refusal.

    Attributes:
        packets: all that came.
    """

    def __init__(self, answer: Answer) -> None:
        self.packets: list[Packet] = []
        self._answer, self._connections = answer, 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = Address("mqtt", "127.0.0.1", self._listening.getsockname()[1], "cam")
        threading.Thread(target=self._listen, daemon=True).start()

    def payloads(self) -> list[bytes]:
        return [packet.payload for packet in self.packets if packet.kind == PUBLISH]

    def close(self) -> None:
        self._listening.close()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self._connections += 1
            about = client, self._connections
            threading.Thread(target=self._talk, args=about, daemon=True).start()

    def _talk(self, client: socket.socket, connection: int) -> None:
        version = 0
        with client, client.makefile("rb") as stream:
            while first := stream.read(1):
                length = shift = 0
                more = 0x80
                while more & 0x80:
                    (more,) = stream.read(1)
                    length |= (more & 0x7F) << shift
                    shift += 7
                data = stream.read(length)
                if first[0] >> 4 == CONNECT:
                    version = data[6]
                packet = Packet(first[0], data, connection, version)
                self.packets.append(packet)
                reply = self._answer(packet)
                if reply is None:
                    return
                client.sendall(reply)
                kind = reply[0] >> 4 if reply else 0
                if kind == DISCONNECT or (kind == CONNACK and reply[3]):
                    return


@pytest.fixture
def play() -> Iterator[Callable[[Answer], Played]]:
    """play(answer): a broker that gives those answers."""
    played: list[Played] = []

    def start(answer: Answer) -> Played:
        played.append(Played(answer))
        return played[-1]

    yield start
    for broker in played:
        broker.close()


def agreeable(packet: Packet) -> bytes:
    """An answer in version 5 with which all is well."""
    answers = {PUBLISH: PUBACK, PUBREL: PUBCOMP}
    if packet.kind == CONNECT:
        return WELCOME_5
    if packet.kind == SUBSCRIBE:
        return packet.answer(SUBACK, 0, 1)
    return packet.answer(answers[packet.kind]) if packet.kind in answers else b""


@pytest.mark.parametrize("refusal", [bytes([32, 2, 0, 1]), bytes([32, 3, 0, 0x84, 0])])
def test_a_broker_of_version_3_1_1(play: Callable[[Answer], Played], refusal: bytes):
    def answer(packet: Packet) -> bytes | None:
        if packet.kind == CONNECT:
            return WELCOME_4 if packet.data[6] == 4 else refusal
        if packet.kind == PUBLISH:
            return packet.answer(PUBACK)
        if packet.kind == SUBSCRIBE:
            message = b"\0\3cam" + b"\0\1" + b"kept"
            return packet.answer(SUBACK, 1) + bytes([PUBLISH << 4 | 2, len(message)]) + message
        return b""

    broker = play(answer)
    with MqttSink(broker.address) as sink:
        sink.send(b"one", PATIENCE)
        sink.send(b"two", PATIENCE)
    assert broker.payloads() == [b"one", b"two"]
    broker.packets.clear()
    with MqttSource(broker.address, name="keeper") as source:
        source.wait(PATIENCE)
        assert source.receive(PATIENCE) == b"kept"
    newer, older = (p.data for p in broker.packets if p.kind == CONNECT)
    assert (newer[6], older[6]) == (5, 4)
    assert not (newer[7] | older[7]) & 2  # the session is to be kept
    assert newer[10:16] == bytes([5, 0x11, 255, 255, 255, 255])  # for ever


def test_sessions_of_the_unnamed_end(play: Callable[[Answer], Played]):
    broker = play(agreeable)
    with MqttSink(broker.address) as sink, MqttSource(broker.address) as source:
        sink.send(b"data", PATIENCE)
        source.wait(PATIENCE)
    for connect in (p.data for p in broker.packets if p.kind == CONNECT):
        assert connect[7] & 2
        assert connect[10] == 0  # no properties


def test_hung_up_on_is_sent_again(play: Callable[[Answer], Played]):
    def answer(packet: Packet) -> bytes | None:
        lost = packet.kind == PUBLISH and packet.connection == 1
        return None if lost else agreeable(packet)

    broker = play(answer)
    with MqttSink(broker.address) as sink:
        sink.send(b"data", PATIENCE)
    assert broker.payloads() == [b"data"] * 2


def test_one_attempt_over_several_calls(play: Callable[[Answer], Played]):
    confirmed = threading.Event()

    def answer(packet: Packet) -> bytes | None:
        if packet.kind == PUBLISH:
            confirmed.wait(PATIENCE)
        return agreeable(packet)

    broker = play(answer)
    with MqttSink(broker.address) as sink:
        for _ in range(3):
            with pytest.raises(LinkError, match=r"does not confirm|cannot be reached"):
                sink.send(b"data", 0.3)
        confirmed.set()
        sink.send(b"data", PATIENCE)
    assert broker.payloads() == [b"data"]


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        (0x95, ArgumentError, r"Packet too large \(5,000 bytes\)"),
        (0x97, LinkError, "the broker says: Quota exceeded"),
        (0x87, LinkError, "the broker says: Not authorized"),
    ],
)
def test_hung_up_on_with_a_reason_is_not_sent_again(
    play: Callable[[Answer], Played], code: int, error: type[Exception], said: str
):
    def answer(packet: Packet) -> bytes | None:
        refused = packet.kind == PUBLISH and len(packet.payload) > 1000
        return bytes([DISCONNECT << 4, 1, code]) if refused else agreeable(packet)

    broker = play(answer)
    with MqttSink(broker.address) as sink:
        with pytest.raises(error, match=said):
            sink.send(bytes(5000), PATIENCE)
        sink.send(b"next", PATIENCE)
        with pytest.raises(error, match=said):
            sink.send(bytes(5000), PATIENCE)
        sink.send(b"last", PATIENCE)
    assert broker.payloads() == [bytes(5000), b"next", bytes(5000), b"last"]


def test_what_is_refused_while_nobody_waits(play: Callable[[Answer], Played]):
    refuse, back = threading.Event(), threading.Event()

    def answer(packet: Packet) -> bytes | None:
        if packet.payload == bytes(5000):
            refuse.wait(PATIENCE)
            return bytes([DISCONNECT << 4, 1, 0x95])
        if packet.connection == 2:
            back.set()
        return agreeable(packet)

    broker = play(answer)
    with MqttSink(broker.address) as sink:
        with pytest.raises(LinkError, match="does not confirm"):
            sink.send(bytes(5000), 1)
        refuse.set()
        assert back.wait(PATIENCE)
        with pytest.raises(ArgumentError, match="Packet too large"):
            sink.send(bytes(5000), PATIENCE)
        sink.send(b"next", PATIENCE)
    assert broker.payloads() == [bytes(5000), b"next"]


def test_no_other_message_is_blamed(play: Callable[[Answer], Played]):
    def answer(packet: Packet) -> bytes | None:
        if packet.kind == PUBLISH and packet.connection == 1:
            large = len(broker.payloads()) == 1  # judged when the next one is here already
            return b"" if large else bytes([DISCONNECT << 4, 1, 0x95])
        return agreeable(packet)

    broker = play(answer)
    with MqttSink(broker.address) as sink:
        with pytest.raises(LinkError, match="does not confirm"):
            sink.send(bytes(5000), 1)
        sink.send(b"next", PATIENCE)
    assert broker.payloads() == [bytes(5000), b"next", b"next"]


def test_a_broker_that_comes_back_with_a_lower_limit(play: Callable[[Answer], Played]):
    def answer(packet: Packet) -> bytes | None:
        if packet.connection == 1:
            return None if packet.kind == PUBLISH else agreeable(packet)
        if packet.kind == CONNECT:
            return bytes([CONNACK << 4, 8, 0, 0, 5, 0x27, 0, 0, 0x03, 0xE8])  # 1,000
        return agreeable(packet)

    broker = play(answer)
    with MqttSink(broker.address) as sink:
        with pytest.raises(ArgumentError, match=r"at most 1,000 .* 5,011$"):
            sink.send(bytes(5000), PATIENCE)
        sink.send(b"next", PATIENCE)
    assert broker.payloads() == [bytes(5000), b"next"]


def test_nobody_listens(play: Callable[[Answer], Played]):
    def answer(packet: Packet) -> bytes | None:
        answers = {(PUBLISH, 1): PUBACK, (PUBLISH, 2): PUBREC}
        kind = answers.get((packet.kind, packet.connection))
        return agreeable(packet) if kind is None else packet.answer(kind, 0x10, 0)

    broker = play(answer)
    for qos in (1, 2):
        with MqttSink(broker.address, qos) as sink:
            sink.send(b"data", PATIENCE)


@pytest.mark.parametrize(("code", "said"), [(0x97, "Quota exceeded"), (0xF0, "reason code 240")])
@pytest.mark.parametrize(("qos", "kind"), [(1, PUBACK), (2, PUBREC)])
def test_refused(play: Callable[[Answer], Played], qos: int, kind: int, code: int, said: str):
    def answer(packet: Packet) -> bytes | None:
        if packet.payload == b"refused":
            return packet.answer(kind, code, 0)
        return packet.answer(kind) if packet.kind == PUBLISH else agreeable(packet)

    broker = play(answer)
    with MqttSink(broker.address, qos) as sink:
        with pytest.raises(LinkError, match=f"the broker says: {said}"):
            sink.send(b"refused", PATIENCE)
        sink.send(b"next", PATIENCE)
    assert broker.payloads() == [b"refused", b"next"]
    released = [p.number for p in broker.packets if p.kind == PUBREL]
    assert len(released) == (qos == 2)  # what is refused is done with
