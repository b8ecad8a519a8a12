"""From peer to peer on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.mosquitto import PATIENCE, free_port
from tokcodec.cli import main
from tokcodec.errors import ArgumentError, LinkError
from tokcodec.transport import Address

pytest.importorskip("zenoh")

from tokcodec.transport import zenoh
from tokcodec.transport.zenoh import ZenohSink, ZenohSource


def address(key: str = "cameras/gate", port: int | None = None) -> Address:
    return Address.parse(f"zenoh://127.0.0.1:{port or free_port()}/{key}")


def test_messages_arrive_in_order_and_wait_for_a_slow_receiver():
    here = address()
    with ZenohSource(here, listen=True) as source, ZenohSink(here) as sink:
        sent = [bytes([i % 256]) * (i + 1) for i in range(300)]  # more than wait at the receiver

        def send() -> None:
            for data in sent:
                sink.send(data, PATIENCE)

        sender = threading.Thread(target=send)
        sender.start()
        assert [source.receive(PATIENCE) for _ in sent] == sent
        sender.join()
        assert source.receive(0.05) is None


class Congested:
    """A publisher with a listener, and a link that takes nothing until it is free."""

    def __init__(self) -> None:
        self.free, self.sent = threading.Event(), list[bytes]()
        self.matching_status = SimpleNamespace(matching=True)

    def put(self, data: bytes) -> None:
        self.free.wait(PATIENCE)
        if data == b"refused":
            raise RuntimeError("no more")
        self.sent.append(data)


@pytest.fixture
def congested(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ZenohSink, Congested]]:
    with ZenohSink(address()) as sink:
        publisher = Congested()
        monkeypatch.setattr(sink, "_publisher", publisher)
        yield sink, publisher
        publisher.free.set()


def test_a_congested_link_keeps_no_sender(congested: tuple[ZenohSink, Congested]):
    sink, link = congested
    for _ in range(3):  # one attempt
        with pytest.raises(LinkError, match="nothing more"):
            sink.send(b"first", 0.05)
    with pytest.raises(LinkError, match="nothing more"):
        sink.send(b"second", 0.05)
    link.free.set()
    sink.send(b"first", PATIENCE)
    assert link.sent == [b"first"]
    for data in (b"second", b"first"):  # neither is on its way any more
        sink.send(data, PATIENCE)
    assert link.sent == [b"first", b"second", b"first"]
    with pytest.raises(LinkError, match="no more"):
        sink.send(b"refused", PATIENCE)


def test_other_data_follow_what_a_congested_link_holds(congested: tuple[ZenohSink, Congested]):
    sink, link = congested
    for first in (b"first", b"refused"):
        link.free.clear()
        with pytest.raises(LinkError, match="nothing more"):
            sink.send(first, 0.05)
        link.free.set()
        sink.send(b"second", PATIENCE)
    assert link.sent == [b"first", b"second", b"second"]


def test_closing_waits_for_no_congested_link(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(zenoh, "MAX_WAITING", 1)
    here, sent = address(), 0
    with ZenohSource(here, listen=True) as source, ZenohSink(here) as sink:
        try:
            while True:
                sink.send(bytes(1 << 20), 2.0)
                sent += 1
        except LinkError:
            start = time.monotonic()
        sink.close()
        assert time.monotonic() - start < 1
        for _ in range(sent):
            assert source.receive(PATIENCE)


def test_wildcards():
    port = free_port()
    with ZenohSource(address("cameras/*", port), listen=True) as source:
        with ZenohSink(address("cameras/door", port)) as sink:
            sink.send(b"data", PATIENCE)
        assert next(iter(source)) == b"data"


def test_nobody_listens():
    here = address()
    with (
        ZenohSource(address("another/key", here.port), listen=True),
        ZenohSink(here) as sink,
        pytest.raises(LinkError, match="nobody listens"),
    ):
        sink.send(b"data", 0.2)


def test_nobody_there_yet():
    here = address()
    with ZenohSink(here) as sink:
        with pytest.raises(LinkError, match="nobody listens"):
            sink.send(b"data", 0.2)
        with ZenohSource(here, listen=True) as source:
            sink.send(b"data", PATIENCE)
            assert source.receive(PATIENCE) == b"data"
    with ZenohSource(here, listen=True), pytest.raises(LinkError, match=str(here.port)):
        ZenohSource(here, listen=True)


def test_wrong_arguments():
    with pytest.raises(ArgumentError, match="configuration"):
        ZenohSink(Address.parse("zenoh://user@127.0.0.1/key"))
    here = address("a//b")
    with pytest.raises(ArgumentError, match="a//b"):
        ZenohSource(here, listen=True)


def test_commands(tmp_path: Path, stream: bytes, capsys: pytest.CaptureFixture):
    picture, out, port = tmp_path / "a.tkc", tmp_path / "out", free_port()
    picture.write_bytes(stream)
    where = f"zenoh://127.0.0.1:{port}"
    receive = [
        "receive",
        "--from",
        f"{where}/cams/**",
        "--listen",
        "--out",
        str(out),
        "--by-topic",
    ]
    receiver = threading.Thread(target=main, args=([*receive, "--count", "1"],))
    receiver.start()
    for _ in range(50):  # until the receiver listens
        if main(["send", str(picture), "--to", f"{where}/cams/gate", "--max-bytes", "222"]) == 0:
            break
        threading.Event().wait(0.1)
    receiver.join(PATIENCE)
    (stored,) = out.rglob("*.tkc")
    assert stored.parent == out / "cams" / "gate"
    assert stored.read_bytes() == stream[:214]
