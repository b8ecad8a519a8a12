"""What `tokcodec receive` cannot read or draw: kept as it came, or left with the broker."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from benchmarks.mosquitto import PATIENCE, Broker
from tests.transport.where import at
from tokcodec import registry
from tokcodec.cli import main
from tokcodec.model import Model
from tokcodec.stream import header as headers
from tokcodec.stream.header import Header
from tokcodec.transport import message
from tokcodec.transport.mqtt import MqttSink, MqttSource


def send(broker: Broker, *streams: bytes) -> None:
    """To the receiver "keeper", which the broker knows from before."""
    with MqttSource(at(broker), name="keeper") as source, MqttSink(at(broker)) as sink:
        source.wait(PATIENCE)
        for data in streams:
            sink.send(message.write(message.picture_id(data), data), PATIENCE)


def test_what_an_option_is_missing_for_stays_with_the_broker(
    broker: Broker, tmp_path: Path, astronaut: np.ndarray, capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    own, key = tmp_path / "own.safetensors", tmp_path / "key.tkc"
    arrays = {name: array.copy() for name, array in tokcodec.load().model.arrays.items()}
    arrays["centroids"].flat[0] += 1
    own.write_bytes(Model("own", arrays, {}).save_bytes())
    key.write_bytes(tokcodec.encode(astronaut, psnr=25))
    streams = [
        tokcodec.encode(astronaut, max_bytes=200, model=own),
        tokcodec.encode(astronaut, max_bytes=200, reference=key.read_bytes()),
    ]
    monkeypatch.setattr(registry, "_opened", {})  # as if the sender were another program
    send(broker, *streams)
    receive = ["receive", "--from", str(at(broker)), "--out", str(tmp_path / "out"),
               "--name", "keeper", "--suffix", ".png", "--count", "2"]  # fmt: skip
    for more, said in (
        (["--decoder", "nonsense"], "no decoder"),
        (["--decoder", "linear", "--model", str(tmp_path / "none")], "no model"),
        (["--decoder", "linear", "--model", str(own), "--reference", str(own)], "no tokcodec"),
    ):
        assert main([*receive, *more]) == 1
        assert said in capsys.readouterr().err
    more = ["--decoder", "linear", "--model", str(own), "--reference", str(key)]
    assert main([*receive, *more]) == 0
    assert len(list((tmp_path / "out").glob("*.png"))) == 2


def test_what_cannot_be_read_here_is_kept_and_stops_nobody(
    broker: Broker, tmp_path: Path, stream: bytes, astronaut: np.ndarray,
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    key = tokcodec.encode(astronaut, psnr=25)
    own = headers.write(Header(registry.HASHED, 8, 8, hash=b"abcd"), b"abcd" + bytes(28))
    told = tokcodec.encode(astronaut, max_bytes=200, reference=key)
    newer = headers.write(
        Header(4, 8, 8, extension=((0x83, b"new"),)), registry.shipped("pyramid-3").sha256
    )
    later = bytes((*stream[:2], stream[2] & 31 | 2 << 5)) + stream[3:]  # of version 2
    send(broker, own, told, newer, later, stream)
    out = tmp_path / "out"
    receive = ["receive", "--from", str(at(broker)), "--out", str(out), "--name", "keeper",
               "--suffix", ".png", "--decoder", "linear", "--count", "5"]  # fmt: skip
    assert main(receive) == 0
    said = capsys.readouterr().err
    assert "kept as it came: the stream needs the model 61626364" in said
    assert "which is missing" in said
    assert said.count("update") + said.count("this tokcodec reads version 1") == 2
    assert {p.read_bytes() for p in out.glob("*.tkc")} == {own, told, newer, later}
    assert len(list(out.glob("*.png"))) == 1


def test_a_picture_that_the_suffix_cannot_hold_is_kept(
    broker: Broker, tmp_path: Path, stream: bytes, capsys: pytest.CaptureFixture
):
    long = tokcodec.encode(Image.new("RGB", (17_000, 4)), budget=1)
    send(broker, long, stream)
    receive = ["receive", "--from", str(at(broker)), "--out", str(tmp_path), "--name", "keeper",
               "--suffix", ".webp", "--decoder", "linear", "--count", "2"]  # fmt: skip
    assert main(receive) == 0
    assert "kept as it came: cannot make a .webp file" in capsys.readouterr().err
    assert [p.read_bytes() for p in tmp_path.glob("*.tkc")] == [long]
    assert len(list(tmp_path.glob("*.webp"))) == 1
    with MqttSource(at(broker), name="keeper") as source:
        source.wait(PATIENCE)
        assert source.receive(0.1) is None


def test_what_is_too_large_to_draw_is_kept(
    broker: Broker, tmp_path: Path, stream: bytes, capsys: pytest.CaptureFixture
):
    """A few bytes can announce a picture that takes gigabytes and minutes."""
    large = tokcodec.encode(Image.new("RGB", (2_000, 1_000)), budget=1)
    send(broker, large, stream)
    receive = ["receive", "--from", str(at(broker)), "--out", str(tmp_path), "--name", "keeper",
               "--suffix", ".png", "--decoder", "linear", "--max-pixels", "1000000",
               "--count", "2"]  # fmt: skip
    assert main(receive) == 0
    assert "kept as it came: 2000 x 1000 is more than 1000000" in capsys.readouterr().err
    assert [p.read_bytes() for p in tmp_path.glob("*.tkc")] == [large]
    assert [Image.open(p).size for p in tmp_path.glob("*.png")] == [(96, 80)]
