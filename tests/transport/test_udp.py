"""Datagrams on loopback, and the pictures that grow from them."""

from __future__ import annotations

import socket
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from benchmarks.mosquitto import PATIENCE, free_port
from tokcodec import link
from tokcodec.cli import main
from tokcodec.errors import ArgumentError, LinkError
from tokcodec.link import packet as packets_of
from tokcodec.link.packet import Packet
from tokcodec.psnr import psnr
from tokcodec.transport.address import Address
from tokcodec.transport.gather import OWN, SENDERS, SHARED, WAITING, Gatherer
from tokcodec.transport.seam import Sink
from tokcodec.transport.senders import Cutting, Packets, open_sender
from tokcodec.transport.udp import UdpSink, UdpSource


class Clock:
    """Seconds as the test likes."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Wire(Sink):
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, data: bytes, timeout: float | None = None) -> None:
        self.sent.append(data)

    def close(self) -> None:
        pass


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


@pytest.mark.parametrize("check", ["none", "crc16"])
def test_pictures_grow_and_keep_their_id(stream: bytes, check: str):
    packets = link.split(stream, 51, packets=12, picture=3, check=check)
    gatherer, found = Gatherer(check, 10), []
    for packet in packets:
        gatherer.add(packet, "here")
        found += gatherer.grown()
    assert len({picture.id for picture in found}) == 1
    sizes = [len(picture.stream) for picture in found]
    assert sizes == sorted(set(sizes))
    assert found[-1].complete
    assert all(stream.startswith(picture.stream) for picture in found)
    assert list(gatherer.grown()) == []


def test_numbers_of_different_senders_and_times_do_not_meet(stream: bytes, photograph):
    clock = Clock()
    other = tokcodec.encode(photograph("coffee", 60, 40), max_bytes=300)
    gatherer, found = Gatherer("crc8", 10, clock), []
    for packet, second in zip(link.split(stream, 51), link.split(other, 51), strict=False):
        gatherer.add(packet, "here")
        gatherer.add(second, "there")
        found += gatherer.grown()
    assert len({picture.id for picture in found}) == 2
    for _ in range(3):  # the same picture under its number again, after the time-out
        clock.now += 11
        for packet in link.split(stream, 51):
            gatherer.add(packet, "here")
        found += gatherer.grown()
    assert len({picture.id for picture in found}) == 5


def test_senders_that_are_done_make_room(stream: bytes):
    (packet,) = link.split(stream, 2000, protect="none")
    gatherer = Gatherer("crc8", 10)
    for sender in range(2 * SENDERS):
        assert gatherer.add(packet, sender)
    assert len(gatherer._senders) == SENDERS
    found = list(gatherer.grown())
    assert len({picture.id for picture in found}) == 2 * SENDERS
    assert all((picture.stream, picture.complete) == (stream, True) for picture in found)
    assert list(gatherer.grown()) == []
    most = WAITING[0]
    for sender in range(3 * most):
        gatherer.add(packet, sender)
    assert len(list(gatherer.grown())) == most
    assert gatherer.missed == 2 * most


def test_a_crowd_drives_nobody_out(stream: bytes):
    """Each sends a packet in turn: whoever is in the middle of a picture stays."""
    clock = Clock()
    gatherer = Gatherer("crc8", 10, clock)
    packets = link.split(stream, 51)
    for packet in packets:
        for sender in range(SENDERS + 3):
            gatherer.add(packet, sender)
    found = list(gatherer.grown())
    assert len(found) == len({picture.id for picture in found}) == SENDERS
    assert all(picture.complete for picture in found)
    assert gatherer.unheard == 3 * (len(packets) - 1)  # of the last there was room for all
    clock.now += 11
    gatherer.add(packets[0], "later")
    assert gatherer.unheard == 3 * (len(packets) - 1)


def test_bytes_that_are_no_packet_come_from_nobody(stream: bytes):
    gatherer = Gatherer("crc8", 10)
    packets = link.split(stream, 51)
    for packet in packets:
        for sender in range(2 * SENDERS):
            assert not gatherer.add(b"x", sender)
        gatherer.add(packet, "here")
    assert len({picture.id for picture in gatherer.grown()}) == 1
    assert len(gatherer._senders) == 1


def test_a_picture_is_shown_again_until_it_was_dealt_with(stream: bytes):
    (packet,) = link.split(stream, 2000, protect="none")
    gatherer = Gatherer("crc8", 10)
    for sender in range(SENDERS + 1):  # the first of them is forgotten by now
        gatherer.add(packet, sender)
    ids = [next(gatherer.grown()).id]  # something goes wrong there
    found = list(gatherer.grown())
    assert found[0].id == ids[0]
    assert len(found) == SENDERS + 1
    gatherer.add(packet, "another")
    shown = next(gatherer.grown())
    assert [shown] == list(gatherer.grown())


def test_pictures_that_were_shown_take_no_memory(photograph):
    """What was shown of 128 numbers would otherwise be a multiple of what the receiver keeps."""
    large = tokcodec.encode(photograph("coffee", 200, 300), psnr=40)
    gatherer = Gatherer("none", 1000)
    tracemalloc.start()
    try:
        for number in range(128):
            packets = link.split(large, 8000, protect="none", check="none", picture=number)
            for packet in packets:
                gatherer.add(packet, "here")
            assert all(picture.complete for picture in gatherer.grown())
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(large) * 128 > 8 * OWN
    assert held < 4 * OWN


def test_as_large_a_picture_as_can_be_sent_and_many_at_once(photograph):
    large = tokcodec.encode(photograph("coffee", 600, 800), psnr=47)
    small = tokcodec.encode(photograph("coffee", 60, 80), max_bytes=90)
    assert len(large) > 300_000
    gatherer = Gatherer("crc16", 10)
    packets = [
        *link.interleave([link.split(large, 1200, picture=n, check="crc16") for n in range(4)]),
        *link.interleave([link.split(small, 51, picture=n, check="crc16") for n in range(4, 128)]),
    ]
    for packet in packets:
        gatherer.add(packet, "here")
    found = list(gatherer.grown())
    assert [picture.complete for picture in found] == 128 * [True]
    assert all(large.startswith(picture.stream) for picture in found[:4])
    assert all(small.startswith(picture.stream) for picture in found[4:])
    assert gatherer.crowded == gatherer.missed == 0


def test_pictures_that_are_complete_between_two_looks_are_all_shown(stream: bytes):
    gatherer = Gatherer("crc8", 10)
    for number in range(100):
        for packet in link.split(stream, 400, picture=number):
            gatherer.add(packet, "here")
    assert len({picture.id for picture in gatherer.grown()}) == 100


def test_memory_is_shared_and_what_has_no_room_is_counted(stream: bytes):
    gatherer = Gatherer("none", 10)
    body = bytes(60_000)
    for i in range(SHARED // len(body)):
        for sender in range(3):
            packet = packets_of.write(Packet(i % 128, 1, i % 9, 200, body), "none")
            gatherer.add(packet, sender)
    assert gatherer.crowded
    held = sum(sender.receiver.size for sender in gatherer._senders.values())
    assert SHARED / 2 < held < SHARED + 3 * OWN
    (small,) = link.split(stream, 2000, check="none", protect="none")
    assert gatherer.add(small, "another")  # has room of its own


def test_pictures_that_are_never_complete_are_counted(stream: bytes):
    clock = Clock()
    gatherer = Gatherer("crc8", 10, clock)
    first, *_ = link.split(stream, 200, protect="none")
    gatherer.add(first, "here")
    assert [picture.complete for picture in gatherer.grown()] == [False]
    clock.now = 11
    assert list(gatherer.grown()) == []
    assert gatherer.broken == 1


def test_numbers_rest_until_they_are_free(stream: bytes, monkeypatch: pytest.MonkeyPatch):
    clock, slept, wire = Clock(), [], Wire()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now += seconds

    monkeypatch.setattr("time.sleep", sleep)
    with Packets(wire, Cutting(protect="none", timeout=20.0), clock) as sender:
        for _ in range(130):
            sender.send([(b"", stream)], None)
            clock.now += 0.1
    assert len(slept) == 1  # 128 numbers took 12.8 seconds; the 129th picture waits
    assert slept[0] == pytest.approx(22 - 12.8)


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


def test_a_picture_goes_on_where_the_link_broke(stream: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("time.sleep", lambda s: pytest.fail("it waits"))
    clock, wire = Clock(), Blinking({4, 6})
    sender = Packets(wire, Cutting(mtu=51, timeout=20.0), clock)
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
    sender = Packets(wire, Cutting(mtu=51, timeout=20.0), clock)
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
    for timeout in (0.0, -5.0, float("nan"), float("inf")):
        with pytest.raises(ArgumentError, match="free again"):
            Packets(wire, Cutting(timeout=timeout))
    with pytest.raises(ArgumentError, match="over UDP"):
        open_sender(Address.parse("udp://127.0.0.1:5700"), 1, Cutting(mtu=65_535))
    with pytest.raises(ArgumentError, match="small"):
        Packets(wire, Cutting(mtu=6))
    with pytest.raises(ArgumentError, match="120 seconds apart"):
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


@pytest.mark.parametrize("suffix", [".tkc", ".png"])
def test_commands(tmp_path: Path, photograph, suffix: str):
    pictures = []
    for name in ("coffee", "rocket"):
        pictures.append(tmp_path / f"{name}.png")
        Image.fromarray(photograph(name, 60, 40)).save(pictures[-1])
    port, out = free_port(socket.SOCK_DGRAM), tmp_path / "out"
    receive = ["receive", "--from", f"udp://127.0.0.1:{port}", "--out", str(out), "--count", "2",
               "--suffix", suffix, "--decoder", "linear"]  # fmt: skip
    receiver = threading.Thread(target=main, args=(receive,))
    receiver.start()
    send = ["send", *map(str, pictures), "--to", f"udp://127.0.0.1:{port}", "--max-bytes", "300",
            "--mtu", "60", "--loss", "0.2", "--burst", "3"]  # fmt: skip
    for _ in range(50):  # nobody tells whether the receiver is there yet
        assert main(send) == 0
        receiver.join(0.2)
        if not receiver.is_alive():
            break
    stored = sorted(out.glob(f"*{suffix}"))
    assert len(stored) >= 2
    for path in stored:
        shown = tokcodec.decode(path.read_bytes()) if suffix == ".tkc" else Image.open(path)
        assert np.asarray(shown).shape == (40, 60, 3)


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
    with pytest.raises(ArgumentError, match="take turns"):
        Packets(wire, Cutting(together=0))


@pytest.mark.parametrize(
    ("options", "limits"),
    [
        (["--budget", "20"], {"budget": 20}),
        (["--quality", "20", "--effort", "1"], {"quality": 20, "effort": 1}),
        (["--model", "register-small", "--max-bytes", "40"], {"model": "register-small"}),
    ],
)
def test_how_a_picture_is_sent(options: list, limits: dict, tmp_path: Path, photograph):
    scene = photograph("coffee", 96, 64)
    Image.fromarray(scene).save(tmp_path / "now.png")
    with UdpSource("127.0.0.1") as source:
        to = ["--to", f"udp://127.0.0.1:{source.port}", "--protect", "none"]
        assert main(["send", str(tmp_path / "now.png"), *to, *options]) == 0
        gatherer, found = Gatherer("crc16", 10), []
        while not (found and found[-1].complete):
            gatherer.add(source.receive(PATIENCE) or b"", "here")
            found += gatherer.grown()
    whole = tokcodec.encode(scene, **limits)
    data = found[-1].stream
    assert data == whole[: len(data)]
    assert len(data) == (34 if "--max-bytes" in options else len(whole))  # header and check: 6


def test_commands_with_a_reference(tmp_path: Path, photograph, capsys):
    scene = photograph("coffee", 96, 64)
    key, picture = tmp_path / "key.tkc", tmp_path / "now.png"
    key.write_bytes(tokcodec.encode(scene, psnr=30))
    Image.fromarray(scene).save(picture)
    with UdpSource("127.0.0.1") as source:
        to = ["send", str(picture), "--to", f"udp://127.0.0.1:{source.port}", "--max-bytes", "200"]
        assert main([*to, "--mtu", "50", "--together", "2", "--reference", str(key)]) == 0
        gatherer, found = Gatherer("crc16", 10), []
        while not (found and found[-1].complete):
            gatherer.add(source.receive(PATIENCE) or b"", "here")
            found += gatherer.grown()
        data = found[-1].stream
        shown = tokcodec.decode(data, decoder="linear", reference=key.read_bytes())
        assert psnr(np.asarray(shown), scene) > 29
        assert main([*to, "--reference", str(tmp_path / "none.tkc")]) == 1
    assert "cannot read" in capsys.readouterr().err
    out, port = tmp_path / "out", free_port(socket.SOCK_DGRAM)
    receive = ["receive", "--from", f"udp://127.0.0.1:{port}", "--out", str(out), "--count", "1",
               "--suffix", ".png", "--decoder", "linear", "--reference", str(key)]  # fmt: skip
    receiver = threading.Thread(target=main, args=(receive,))
    receiver.start()
    with UdpSink("127.0.0.1", port) as sink:
        while receiver.is_alive():
            for packet in link.split(data, 50, check="crc16", reference=key.read_bytes()):
                sink.send(packet)
            receiver.join(0.5)
    assert psnr(np.asarray(Image.open(next(out.glob("*.png")))), scene) > 29


def test_what_cannot_be_drawn_is_kept_and_what_is_no_stream_is_not(
    tmp_path: Path, astronaut: np.ndarray, capsys: pytest.CaptureFixture
):
    key = tokcodec.encode(astronaut, psnr=25)
    told = tokcodec.encode(astronaut, max_bytes=200, reference=key)  # which the receiver lacks
    out, port = tmp_path / "out", free_port(socket.SOCK_DGRAM)
    receive = ["receive", "--from", f"udp://127.0.0.1:{port}", "--out", str(out), "--count", "1",
               "--suffix", ".png", "--decoder", "linear", "--check", "none"]  # fmt: skip
    receiver = threading.Thread(target=main, args=(receive,))
    receiver.start()
    (packet,) = link.split(told, 1000, check="none", protect="none")
    nonsense = packets_of.write(Packet(5, 0, 0, 1, b"this is no stream"), "none")
    with UdpSink("127.0.0.1", port) as sink:
        for data, wanted in ((nonsense, "a picture dropped: this is no"), (packet, "kept as it")):
            said = ""
            for _ in range(100):  # nobody tells whether the receiver is there yet
                sink.send(data)
                receiver.join(0.3)
                said += capsys.readouterr().err
                if wanted in said:
                    break
            assert wanted in said
    receiver.join(PATIENCE)
    assert {p.read_bytes() for p in out.glob("*.tkc")} == {told}


@pytest.mark.parametrize("together", ["1", "4"])
def test_what_cannot_be_cut_holds_up_nothing(
    together: str, tmp_path: Path, astronaut: np.ndarray, capsys: pytest.CaptureFixture
):
    key = tokcodec.encode(astronaut, psnr=25)
    streams = {
        "a": key[:100],
        "b": tokcodec.encode(astronaut[::-1], max_bytes=4000),  # more than 510 packets
        "c": tokcodec.encode(astronaut, max_bytes=200, reference=key),  # which nobody gives
        "d": key[:200],
    }
    for name, data in streams.items():
        (tmp_path / f"{name}.tkc").write_bytes(data)
    send = ["send", "--watch", str(tmp_path), "--once", "--settle", "0", "--mtu", "12",
            "--together", together]  # fmt: skip
    with UdpSource("127.0.0.1") as source:
        assert main([*send, "--to", f"udp://127.0.0.1:{source.port}"]) == 1
        said = capsys.readouterr().err
        assert said.count("given up, and kept in the spool") == 2
        gatherer, found = Gatherer("crc16", 10), []
        while sum(picture.complete for picture in found) < 2:
            gatherer.add(source.receive(PATIENCE) or b"", "here")
            found += gatherer.grown()
    assert all(key.startswith(picture.stream) for picture in found)
    assert len({picture.id for picture in found}) == 2
    assert "packets" in said
    assert "reference" in said
