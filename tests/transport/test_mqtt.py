"""Through a real mosquitto: acknowledged, kept for whoever is away, over restarts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tokcodec
from benchmarks.mosquitto import PATIENCE, Broker, free_port
from tests.transport.where import at
from tokcodec.arriving import progressive
from tokcodec.errors import ArgumentError, LinkError
from tokcodec.transport import Address
from tokcodec.transport.mqtt import MqttSink, MqttSource


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_arrive_in_order(broker: Broker, qos: int):
    with MqttSource(at(broker, "cameras/+"), qos) as source, MqttSink(at(broker), qos) as sink:
        source.wait(PATIENCE)
        sent = [bytes([i]) * (i + 1) for i in range(30)]
        for data in sent:
            sink.send(data, PATIENCE)
        assert [source.receive(PATIENCE) for _ in sent] == sent
        assert source.receive(0.05) is None


def test_a_source_is_an_iterator_that_close_ends(broker: Broker):
    with MqttSource(at(broker)) as source, MqttSink(at(broker)) as sink:
        source.wait(PATIENCE)
        sink.send(b"one", PATIENCE)
        sink.send(b"two", PATIENCE)
        found = []
        for data in source:
            found.append(data)
            if len(found) == 2:
                source.close()
        assert found == [b"one", b"two"]


def test_progressive_takes_a_source(broker: Broker, stream: bytes):
    with MqttSource(at(broker)) as source, MqttSink(at(broker)) as sink:
        source.wait(PATIENCE)
        for i in range(0, len(stream), 100):
            sink.send(stream[i : i + 100], PATIENCE)
        pieces = (source.receive(PATIENCE) or b"" for _ in range(0, len(stream), 100))
        shown = list(progressive(pieces, decoder="linear"))
    assert shown[-1] == tokcodec.decode(stream, decoder="linear")


@pytest.mark.parametrize("qos", [1, 2])
def test_what_was_not_dealt_with_comes_again(broker: Broker, qos: int):
    to = at(broker), qos
    with MqttSource(*to, name="keeper") as source, MqttSink(*to) as sink:
        source.wait(PATIENCE)
        for data in (b"one", b"two", b"three"):
            sink.send(data, PATIENCE)
        assert source.receive(PATIENCE) == b"one"
        assert source.receive(PATIENCE) == b"two"  # the first is dealt with now, this one is not
    with MqttSource(*to, name="keeper") as source:
        assert source.receive(PATIENCE) == b"two"
        assert source.receive(PATIENCE) == b"three"
        assert source.receive(0.1) is None


def test_the_broker_restarts(broker: Broker):
    with MqttSource(at(broker), name="keeper") as source, MqttSink(at(broker)) as sink:
        source.wait(PATIENCE)
        sink.send(b"before", PATIENCE)
        broker.stop()
        with pytest.raises(LinkError):
            sink.send(b"meanwhile", 0.2)
        broker.start()
        sink.send(b"meanwhile", PATIENCE)
        found = []
        while b"meanwhile" not in found:
            found.append(source.receive(PATIENCE))
        # Redelivered, if the restart came before the acknowledgement: ids tell.
        assert list(dict.fromkeys(found)) == [b"before", b"meanwhile"]


def test_no_broker():
    """What the system says is told: a wrong port, name or certificate look alike without it."""
    address = Address.parse(f"mqtt://127.0.0.1:{free_port()}/x")
    pytest.importorskip("paho.mqtt.client")
    with MqttSink(address) as sink, MqttSource(address) as source:
        for use in (lambda: sink.send(b"data", 0.2), lambda: source.wait(0.2)):
            for _ in range(50):  # before the first attempt has failed there is no reason
                with pytest.raises(LinkError, match="cannot be reached") as told:
                    use()
                if "refused" in str(told.value):
                    break
            assert "refused" in str(told.value)


def test_refused(start_broker: Callable[..., Broker]):
    closed = start_broker("allow_anonymous false\n")
    with MqttSink(at(closed)) as sink, pytest.raises(LinkError, match="broker says"):
        sink.send(b"data", 3)


@pytest.mark.parametrize("limit", ["max_packet_size", "message_size_limit"])
@pytest.mark.parametrize("qos", [1, 2])
def test_too_large_for_the_broker(start_broker: Callable[..., Broker], limit: str, qos: int):
    small = start_broker(f"{limit} 1000\n")
    with MqttSource(at(small), qos) as source, MqttSink(at(small), qos) as sink:
        source.wait(PATIENCE)
        for _ in range(2):
            with pytest.raises(ArgumentError, match="5,000"):
                sink.send(bytes(5000), PATIENCE)
            sink.send(b"next", PATIENCE)
            assert source.receive(PATIENCE) == b"next"


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("topic", ["cameras/gate", "c" * 125, "c" * 300])
def test_as_large_as_the_broker_takes(start_broker: Callable[..., Broker], qos: int, topic: str):
    small = start_broker("max_packet_size 500\n")
    room = 500 - len(topic) - (8 if qos else 6)  # of its header, and no properties
    with MqttSource(at(small, topic), qos) as source, MqttSink(at(small, topic), qos) as sink:
        source.wait(PATIENCE)
        with pytest.raises(ArgumentError, match=r"at most 500 .* it has 501$"):
            sink.send(bytes(room + 1), PATIENCE)
        sink.send(bytes(room), PATIENCE)
        assert source.receive(PATIENCE) == bytes(room)


@pytest.mark.parametrize("qos", [1, 2])
def test_forbidden(start_broker: Callable[..., Broker], rules: Path, qos: int):
    guarded = start_broker(f"acl_file {rules}\n")
    with MqttSink(at(guarded), qos) as sink:
        for data in (b"one", b"one", b"two"):
            with pytest.raises(LinkError, match="the broker says: Not authorized"):
                sink.send(data, PATIENCE)
        rules.write_text("topic readwrite #\n")
        guarded.stop()
        guarded.start()
        with MqttSource(at(guarded), qos) as source:
            source.wait(PATIENCE)
            sink.send(b"two", PATIENCE)
            assert source.receive(PATIENCE) == b"two"
            assert source.receive(0.1) is None


def test_wrong_arguments(broker: Broker):
    with pytest.raises(ArgumentError, match="receivers"):
        MqttSink(at(broker, "cameras/+"))
    with pytest.raises(ArgumentError, match="QoS"):
        MqttSink(at(broker), 3)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (Address("mqtt", "broker", 1883, "a/#/b"), "topic"),
        (Address("mqtt", "broker", 1883, "a+/b"), "topic"),
        (Address("mqtt", "broker", 1883, "a/b#"), "topic"),
        (Address("mqtt", "broker", 1883, ""), "topic"),
        (Address("mqtt", "broker", 1883, "a\0b"), "zero byte"),
        (Address("mqtt", "broker", 1883, "a" * 70_000), "too long"),
        (Address("mqtt", "broker", 1883, "\udcff"), "cannot be used"),
        (Address("mqtt", "a..b", 1883, "x"), "cannot be used"),
        (Address("mqtt", "a\0b", 1883, "x"), "zero byte"),
        (Address("mqtt", "", 1883, "x"), "which broker"),
        (Address("mqtt", "broker", 0, "x"), "port"),
        (Address("mqtt", "broker", 70_000, "x"), "port"),
    ],
)
def test_wrong_addresses(address: Address, said: str):
    pytest.importorskip("paho.mqtt.client")
    with pytest.raises(ArgumentError, match=said):
        MqttSource(address)
    with pytest.raises(ArgumentError, match=f"{said}|receivers"):
        MqttSink(address)


@pytest.mark.parametrize("topic", ["#", "+", "a/+/b", "a/#", "+/+/#", "a//b", "$share/us/a/+"])
def test_topics_with_wildcards(topic: str):
    pytest.importorskip("paho.mqtt.client")
    MqttSource(Address("mqtt", "127.0.0.1", free_port(), topic)).close()


def test_no_limit_of_time(broker: Broker):
    with MqttSource(at(broker)) as source, MqttSink(at(broker)) as sink:
        source.wait(float("inf"))
        sink.send(b"data", float("inf"))
        assert source.receive(float("inf")) == b"data"
