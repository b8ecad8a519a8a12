"""`tokcodec send` and `receive` through a real mosquitto: whatever happens, each picture once."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from benchmarks.mosquitto import PATIENCE, Broker, free_port
from tests.transport.where import at
from tokcodec.cli import main, receiving
from tokcodec.transport import Address, message, mqtt
from tokcodec.transport.interface import Source
from tokcodec.transport.mqtt import MqttSink, MqttSource


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
@pytest.mark.parametrize("qos", ["1", "2"])
def test_what_is_forbidden_waits_in_the_spool(
    start_broker: Callable[..., Broker], rules: Path, tmp_path: Path, stream: bytes, qos: str
):
    guarded = start_broker(f"acl_file {rules}\n")
    (tmp_path / "a.tkc").write_bytes(stream)
    send = ["send", "--watch", str(tmp_path), "--settle", "0", "--qos", qos, "--to",
            str(at(guarded))]  # fmt: skip
    code = "import sys; from tokcodec.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, *send]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as sender:
        told = sender.stderr.readline()  # type: ignore[union-attr]
        sender.terminate()
        assert "the broker says: Not authorized; 1 pictures wait" in told
        assert sender.wait(PATIENCE) == 0
    rules.write_text("topic readwrite #\n")
    guarded.stop()
    guarded.start()
    with MqttSource(at(guarded)) as source:
        source.wait(PATIENCE)
        assert main([*send, "--once"]) == 0
        assert message.read(source.receive(PATIENCE) or b"")[1] == stream


def test_too_large_a_picture_stops_no_camera(
    start_broker: Callable[..., Broker], tmp_path: Path, stream: bytes,
    astronaut: np.ndarray, capsys: pytest.CaptureFixture,
):  # fmt: skip
    small = start_broker("max_packet_size 1000\n")
    (tmp_path / "a.tkc").write_bytes(tokcodec.encode(astronaut, max_bytes=2000))
    (tmp_path / "b.tkc").write_bytes(stream)
    send = ["send", "--watch", str(tmp_path), "--settle", "0", "--once", "--to", str(at(small))]
    with MqttSource(at(small)) as source:
        source.wait(PATIENCE)
        assert main(send) == 1
        assert "given up" in capsys.readouterr().err
        assert message.read(source.receive(PATIENCE) or b"")[1] == stream
        assert main(send) == 1  # it waits for another limit
        assert "kept in the spool" in capsys.readouterr().err


def test_a_receiver_says_that_there_is_no_broker(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    pytest.importorskip("paho.mqtt.client")
    monkeypatch.setattr(receiving, "PATIENCE", 0.1)

    def told_to_stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(MqttSource, "receive", told_to_stop)
    address = f"mqtt://127.0.0.1:{free_port()}/x"
    assert main(["receive", "--from", address, "--out", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    assert f"{address}: the broker cannot be reached" in said
    assert "; waiting for it" in said


def test_a_receiver_says_that_its_broker_is_gone_and_back(
    broker: Broker, tmp_path: Path, stream: bytes, capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.setattr(receiving, "PATIENCE", 0.2)
    receive = ["receive", "--from", str(at(broker)), "--out", str(tmp_path), "--count", "1"]
    receiver = threading.Thread(target=main, args=(receive,))
    receiver.start()
    for said, then in (
        ("listening at mqtt://", broker.stop),
        ("; waiting for it", broker.start),
        ("listening at mqtt://", lambda: None),
    ):
        told, end = "", time.monotonic() + PATIENCE
        while said not in told and time.monotonic() < end:
            receiver.join(0.1)
            told += capsys.readouterr().err
        assert said in told
        then()
    with MqttSink(at(broker)) as sink:
        sink.send(message.write(bytes(8), stream), PATIENCE)
    receiver.join(PATIENCE)
    assert len(list(tmp_path.glob("*.tkc"))) == 1


def test_receivers_have_names_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found: list[str] = []

    class Named(Source):
        def __init__(self, _address: Address, _qos: int, name: str) -> None:
            found.append(name)

        def receive(self, timeout: float | None = None) -> bytes | None:
            raise KeyboardInterrupt

        def close(self) -> None:
            pass

    monkeypatch.setattr(mqtt, "MqttSource", Named)

    def name(topic: str, folder: str, *more: str) -> str:
        out = str(tmp_path / folder)
        assert main(["receive", "--from", f"mqtt://broker/{topic}", "--out", out, *more]) == 0
        return found[-1]

    names = [name("gate", "a"), name("yard", "a"), name("gate", "b"), name("yard", "b")]
    assert len(set(names)) == 4
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    assert [name("gate", "a"), name("yard", "a"), name("gate", "b"), name("yard", "b")] == names
    assert name("gate", "a", "--name", "mine") == "mine"
    assert name("gate", "a") == names[0]


def test_a_folder_gets_what_it_asks_for(broker: Broker, tmp_path: Path, stream: bytes):
    gate, yard = at(broker), at(broker, "cameras/yard")
    receive = ["receive", "--out", str(tmp_path), "--from"]

    def told_to_stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as stopped:
        stopped.setattr(MqttSource, "receive", told_to_stop)
        assert main([*receive, str(gate)]) == 0  # from now on the broker keeps what comes there
        assert main([*receive, str(yard)]) == 0
    for address, size in ((gate, 50), (yard, 60)):
        with MqttSink(address) as sink:
            sink.send(message.write(bytes([size]) * 8, stream[:size]), PATIENCE)
    assert main([*receive, str(yard), "--count", "1"]) == 0
    assert [p.stat().st_size for p in tmp_path.glob("*.tkc")] == [60]
    assert main([*receive, str(gate), "--count", "1"]) == 0
    assert sorted(p.stat().st_size for p in tmp_path.glob("*.tkc")) == [50, 60]


def test_pictures_of_several_cameras_by_topic(
    broker: Broker, tmp_path: Path, stream: bytes, capsys: pytest.CaptureFixture
):
    receive = ["receive", "--from", str(at(broker, "cameras/#")), "--out", str(tmp_path),
               "--by-topic"]  # fmt: skip

    def told_to_stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as stopped:
        stopped.setattr(MqttSource, "receive", told_to_stop)
        assert main(receive) == 0
    assert "listening at mqtt://" in capsys.readouterr().err
    for number, topic in enumerate(("cameras/gate", "cameras/yard/left", "cameras/gate")):
        with MqttSink(at(broker, topic)) as sink:
            sink.send(message.write(bytes([number]) * 8, stream[: 50 + number]), PATIENCE)
    assert main([*receive, "--count", "3"]) == 0
    sizes = {p.relative_to(tmp_path).parent.as_posix(): p.stat().st_size
             for p in sorted(tmp_path.rglob("*.tkc"))}  # fmt: skip
    assert sizes == {"cameras/gate": 52, "cameras/yard/left": 51}
    assert len(list(tmp_path.rglob("*.tkc"))) == 3


def start_receiver(broker: Broker, out: Path, count: int) -> subprocess.Popen:
    code = "import sys; from tokcodec.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.Popen(
        [sys.executable, "-c", code, "receive", "--from", f"{broker.address}/cam",
         "--out", str(out), "--count", str(count), "--name", "keeper"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_camera_through_everything(
    broker: Broker, tmp_path: Path, photograph, capsys: pytest.CaptureFixture
):
    """The broker restarts, sender and receiver start anew, one picture is half-written: every
    picture is stored, and none twice.
    """
    camera, out = tmp_path / "camera", tmp_path / "out"
    (camera / "DCIM").mkdir(parents=True)
    with MqttSource(Address.parse(f"{broker.address}/cam"), name="keeper") as source:
        source.wait(PATIENCE)  # from now on the broker keeps what comes for this name
    watch = ["send", "--watch", str(camera), "--once", "--settle", "0", "--max-bytes", "120",
             "--to", f"{broker.address}/cam"]  # fmt: skip

    def shoot(name: str, picture: np.ndarray) -> None:
        Image.fromarray(picture).save(camera / "DCIM" / name)

    night = np.zeros((40, 60, 3), np.uint8)
    for number, name in enumerate(("coffee", "chelsea", "rocket")):
        shoot(f"{number}.png", photograph(name, 60, 40))
    shoot("3.png", night)
    shoot("4.png", night)  # looks the same, and is another picture
    assert main(watch) == 0
    broker.stop()
    shoot("5.png", photograph("astronaut", 60, 40))
    whole = (camera / "DCIM" / "5.png").read_bytes()
    (camera / "DCIM" / "6.png").write_bytes(whole[:-300])
    waits = threading.Thread(target=lambda: (time.sleep(1.5), broker.start()))
    waits.start()
    assert main(watch) == 1  # 6.png is not whole yet
    waits.join()
    assert "6.png" in capsys.readouterr().err
    (camera / "DCIM" / "6.png").write_bytes(whole)
    assert main(watch) == 0
    first = start_receiver(broker, out, 3)
    assert first.wait(PATIENCE) == 0
    assert main(watch) == 0  # nothing new
    broker.stop()
    broker.start()
    second = start_receiver(broker, out, 4)
    assert second.wait(PATIENCE) == 0
    stored = sorted(out.glob("*.tkc"))
    assert len(stored) == 7
    assert all(len(p.read_bytes()) <= 112 for p in stored)
    assert all(tokcodec.decode(p.read_bytes(), decoder="linear").size == (60, 40) for p in stored)


def test_sent_twice_is_stored_once(broker: Broker, tmp_path: Path, stream: bytes):
    picture, out = tmp_path / "a.tkc", tmp_path / "out"
    picture.write_bytes(stream)
    with MqttSource(Address.parse(f"{broker.address}/cam"), name="keeper") as source:
        source.wait(PATIENCE)
    send = ["send", str(picture), "--to", f"{broker.address}/cam"]
    assert main(send) == main(send) == main([*send, "--max-bytes", "100"]) == 0
    with MqttSink(Address.parse(f"{broker.address}/cam")) as sink:
        sink.send(b"nonsense", PATIENCE)
        sink.send(bytes(8) + stream[:7] + b"?" + stream[8:], PATIENCE)
        sink.send(message.write(bytes(8), stream[:50]), PATIENCE)
    assert start_receiver(broker, out, 3).wait(PATIENCE) == 0
    assert sorted(len(p.read_bytes()) for p in out.glob("*.tkc")) == [50, 92, len(stream)]


def test_senders_tell_what_files_are_called_at_the_other_end(
    broker: Broker, tmp_path: Path, stream: bytes, capsys: pytest.CaptureFixture
):
    camera, out = tmp_path / "camera", tmp_path / "out"
    camera.mkdir()
    for size, name in enumerate(("a.tkc", "b.tkc"), 50):
        (camera / name).write_bytes(stream[:size])
    with MqttSource(at(broker, "cam"), name="keeper") as source:
        source.wait(PATIENCE)
    to = ["--to", str(at(broker, "cam"))]
    assert main(["send", str(camera / "a.tkc"), *to]) == 0
    assert main(["send", "--watch", str(camera), "--once", "--settle", "0", *to]) == 0
    told = [line.split(": ") for line in capsys.readouterr().out.splitlines()]
    found = [(Path(file).name, said.split()[-1]) for file, said in told if " as " in said]
    assert [file for file, _ in found] == ["a.tkc", "a.tkc", "b.tkc"]
    assert start_receiver(broker, out, 3).wait(PATIENCE) == 0
    for file, name in found:
        assert (out / f"{name}.tkc").read_bytes() == (camera / file).read_bytes()
