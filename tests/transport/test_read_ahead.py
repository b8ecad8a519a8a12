"""Datagrams that wait for a receiver which does something else."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from benchmarks.mosquitto import PATIENCE
from tokcodec.errors import LinkError
from tokcodec.transport import read_ahead
from tokcodec.transport.read_ahead import ReadAhead
from tokcodec.transport.udp import UdpSink, UdpSource


class Scripted(UdpSource):
    """Gives what it is told to, then nothing."""

    def __init__(self, *found: bytes | LinkError) -> None:
        super().__init__("127.0.0.1")
        self.left = list(found)

    def receive_from(self, timeout: float | None = None) -> tuple[bytes, tuple[str, int]] | None:
        if not self.left:
            time.sleep(0.01)
            return None
        found = self.left.pop(0)
        if isinstance(found, LinkError):
            raise found
        return found, ("host", 1)


def until(ready: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not ready() and time.monotonic() < end:
        time.sleep(0.01)


def test_what_came_meanwhile_is_there():
    source = UdpSource("127.0.0.1")
    with UdpSink("127.0.0.1", source.port) as sink, ReadAhead(source) as reading:
        for i in range(5):
            sink.send(bytes([i]))
        found = [reading.receive_from(PATIENCE) for _ in range(5)]
        assert [data for data, _ in found] == [bytes([i]) for i in range(5)]
        assert reading.receive_from(0) is None
        assert reading.receive_from(0.01) is None


def test_what_waits_is_bounded_and_what_is_dropped_is_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(read_ahead, "MAX_WAITING", 10 * (1000 + read_ahead.FIXED))
    source = Scripted(*[bytes(1000)] * 15)
    with ReadAhead(source) as reading:
        until(lambda: not source.left)
        assert reading.missed == 5
        for _ in range(10):
            assert reading.receive_from(PATIENCE) is not None
        source.left.append(b"there is room again")
        assert reading.receive_from(PATIENCE)[0] == b"there is room again"


def test_what_goes_wrong_is_told_in_its_turn():
    with ReadAhead(Scripted(b"first", LinkError("cannot receive"))) as reading:
        assert reading.receive_from(PATIENCE)[0] == b"first"
        with pytest.raises(LinkError, match="cannot receive"):
            reading.receive_from(PATIENCE)
