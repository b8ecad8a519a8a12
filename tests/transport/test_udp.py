"""Datagrams on loopback."""

from __future__ import annotations

import socket

import pytest

from benchmarks.mosquitto import PATIENCE, free_port
from tokcodec.errors import ArgumentError, LinkError
from tokcodec.transport.udp import UdpSink, UdpSource


def test_datagrams():
    with UdpSource("127.0.0.1") as source, UdpSink("127.0.0.1", source.port) as sink:
        sink.send(b"one")
        sink.send(bytes(60_000))
        assert source.receive(PATIENCE) == b"one"
        data, (host, _) = source.receive_from(PATIENCE) or (b"", ("", 0))
        assert (len(data), host) == (60_000, "127.0.0.1")
        assert source.receive(0.01) is None
        with pytest.raises(ArgumentError, match="65,507 bytes, not 65,508"):
            sink.send(bytes(65_508))
        sink.send(bytes(65_507))
        assert len(source.receive(PATIENCE) or b"") == 65_507
        with pytest.raises(LinkError, match="in use"):
            UdpSource("127.0.0.1", source.port)


def test_nobody_has_to_listen():
    with UdpSink("127.0.0.1", free_port()) as sink:
        for _ in range(3):
            sink.send(b"data")


def test_one_that_was_refused_costs_no_later_one():
    port = free_port(socket.SOCK_DGRAM)
    with UdpSink("127.0.0.1", port) as sink:
        sink.send(b"nobody is there yet")
        with UdpSource("127.0.0.1", port) as source:
            sink.send(b"data")
            assert source.receive(PATIENCE) == b"data"


def test_waiting_for_no_time_and_for_ever():
    with UdpSource("127.0.0.1") as source, UdpSink("127.0.0.1", source.port) as sink:
        assert source.receive(0) is None
        assert source.receive(-1) is None
        sink.send(b"data", float("inf"))
        assert source.receive(float("inf")) == b"data"


@pytest.mark.parametrize("port", [70_000, -1, 5700.5, "5700"])
def test_no_such_port(port: int):
    with pytest.raises(ArgumentError, match="port"):
        UdpSink("127.0.0.1", port)
    with pytest.raises(ArgumentError, match="port"):
        UdpSource("127.0.0.1", port)
    with pytest.raises(ArgumentError, match="port"):
        UdpSink("127.0.0.1", 0)


def test_a_name_is_the_same_at_both_ends():
    with UdpSource(port=0) as source, UdpSink("localhost", source.port) as sink:
        sink.send(b"data")
        assert source.receive(PATIENCE) == b"data"


def test_no_such_host():
    with pytest.raises(LinkError, match="no such host"):
        UdpSink("no.such.host.invalid", 5700)
