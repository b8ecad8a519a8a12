"""`tokcodec send` and `receive` over UDP."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from benchmarks.mosquitto import PATIENCE, free_port
from tokcodec import link
from tokcodec.cli import main
from tokcodec.link import packet as packets_of
from tokcodec.link.packet import Packet
from tokcodec.psnr import psnr
from tokcodec.transport.gather import Gatherer
from tokcodec.transport.udp import UdpSink, UdpSource


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


def test_what_arrives_while_the_network_loads_is_kept(
    tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch, capsys
):
    """Nobody keeps packets: the socket is there before anything that takes its time."""
    port, out = free_port(socket.SOCK_DGRAM), tmp_path / "out"
    data = tokcodec.encode(astronaut, max_bytes=200)
    packets = link.split(data, 60, protect="none", check="crc16")

    def load(decoder: str) -> None:
        with UdpSink("127.0.0.1", port) as sink:
            for packet in packets:
                sink.send(packet)

    monkeypatch.setattr("tokcodec.decoders.find", load)
    monkeypatch.setattr("tokcodec.decode", lambda data, **options: Image.new("RGB", (8, 8)))
    receive = ["receive", "--from", f"udp://127.0.0.1:{port}", "--out", str(out), "--count", "1",
               "--suffix", ".png"]  # fmt: skip
    receiver = threading.Thread(target=main, args=(receive,), daemon=True)
    receiver.start()
    receiver.join(PATIENCE)
    assert not receiver.is_alive()
    assert len(list(out.glob("*.png"))) == 1
    assert f"listening at udp://127.0.0.1:{port}" in capsys.readouterr().err


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


def test_what_cannot_be_cut_fails_alone(
    tmp_path: Path, astronaut: np.ndarray, capsys: pytest.CaptureFixture
):
    for name, size in (("a", 100), ("b", 4000), ("c", 200)):  # b: more than 510 packets
        (tmp_path / f"{name}.tkc").write_bytes(tokcodec.encode(astronaut, max_bytes=size))
    pictures = [str(tmp_path / f"{name}.tkc") for name in "abc"]
    with UdpSource("127.0.0.1") as source:
        to = ["--to", f"udp://127.0.0.1:{source.port}", "--mtu", "12", "--together", "3"]
        assert main(["send", *pictures, *to]) == 1
    told = capsys.readouterr()
    assert told.out.count("bytes sent") == 2
    assert f"{pictures[1]}: a picture travels in" in told.err
