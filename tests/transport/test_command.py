"""`tokcodec send`, `receive` and `serve`: addresses, what they refuse, what they do without."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from PIL import Image

import tokcodec
from benchmarks.mosquitto import free_port
from tokcodec.cli import main
from tokcodec.errors import ArgumentError
from tokcodec.stream import framing
from tokcodec.transport import Address

CODE = "import sys; from tokcodec.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mqtt://broker/cameras/gate", Address("mqtt", "broker", 1883, "cameras/gate")),
        ("mqtts://me:a%2Fb@broker:99/x/", Address("mqtts", "broker", 99, "x/", "me", "a/b")),
        ("mqtt://broker//home/cam", Address("mqtt", "broker", 1883, "/home/cam")),
        ("mqtt://broker/cameras/+", Address("mqtt", "broker", 1883, "cameras/+")),
        ("mqtt://broker/cameras/%23", Address("mqtt", "broker", 1883, "cameras/#")),
        ("mqtt://broker/cameras/#", Address("mqtt", "broker", 1883, "cameras/#")),
        ("mqtts://broker/#", Address("mqtts", "broker", 8883, "#")),
        ("udp://192.0.2.1:5700", Address("udp", "192.0.2.1", 5700)),
        ("udp://:5700", Address("udp", "", 5700)),
        ("udp://[::1]:5700/", Address("udp", "::1", 5700)),
        ("zenoh://peer/cameras/**", Address("zenoh", "peer", 7447, "cameras/**")),
        ("zenoh:///cameras", Address("zenoh", "", 7447, "cameras")),
    ],
)
def test_addresses(text: str, found: Address):
    assert Address.parse(text) == found


def test_passwords_are_not_shown():
    address = Address.parse("mqtts://me:secret@[::1]/x")
    assert str(address) == "mqtts://me@[::1]:8883/x"
    assert "secret" not in repr(address)
    for wrong in ("mqtts://me:secr#et@host/t", "mqtt://me:secret@host:99999/t", "me:secret@host"):
        with pytest.raises(ArgumentError, match="host") as told:
            Address.parse(wrong)
        assert "secr" not in str(told.value)


@pytest.mark.parametrize(
    "text",
    ["", "broker", "ftp://broker/x", "mqtt://broker", "mqtt:///x", "udp://host", "udp://host:1/x",
     "mqtt://broker:99999/x", "mqtt://broker/x?qos=1", "mqtt://broker/x#y", "mqtt://broker/x#",
     "mqtt://broker/#/#", "zenoh://peer", "zenoh://peer/x/#", "udp://host:1#"],
)  # fmt: skip
def test_no_addresses(text: str):
    with pytest.raises(ArgumentError, match=r"\w"):
        Address.parse(text)
    with pytest.raises(ArgumentError, match="5 is no address"):
        Address.parse(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["send", "--to", "udp://127.0.0.1:9"], "say what to send"),
        (["send", "a.png", "--watch", ".", "--to", "udp://127.0.0.1:9"], "say what to send"),
        (["send", "none.png", "--to", "udp://127.0.0.1:9"], "none.png"),
        (["send", "--watch", "none", "--to", "udp://127.0.0.1:9"], "no folder none"),
        (["send", "a.png", "--to", "nowhere"], "no address"),
        (["send", "a.png", "--to", "udp://127.0.0.1:9", "--mtu", "5"], "too small"),
        (["send", "a.png", "--to", "udp://127.0.0.1:9", "--loss", "1"], "loss rate"),
        (["send", "a.png", "--to", "udp://127.0.0.1:9", "--timeout", "0"], "--timeout"),
        (["send", "a.png", "--to", "mqtt://127.0.0.1:9/x", "--max-bytes", "8"], "max_bytes"),
        (["send", "a.png", "--to", "udp://127.0.0.1:9", "--max-pixels", "0"], "max_pixels"),
        (["send", "a.png", "--to", "udp://127.0.0.1:9", "--max-pixels", "15"], "4 x 4"),
        (["receive", "--from", "udp://:9", "--out", "out", "--count", "0"], "--count"),
        (["receive", "--from", "udp://:9", "--out", "out", "--suffix", "x"], "suffix"),
        (["receive", "--from", "udp://:9", "--out", "out", "--max-pixels", "0"], "max_pixels"),
        (["receive", "--from", "nowhere", "--out", "out"], "no address"),
        (["serve", "none"], "no folder"),
    ],
)
def test_what_is_refused(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (4, 4)).save("a.png")
    assert main(arguments) == 1
    assert said in capsys.readouterr().err


def test_missing_packages_name_their_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys):
    picture = tmp_path / "a.png"
    Image.new("RGB", (4, 4)).save(picture)
    for package, scheme in (("paho.mqtt", "mqtt"), ("zenoh", "zenoh")):
        monkeypatch.setitem(sys.modules, package, None)
        assert main(["send", str(picture), "--to", f"{scheme}://127.0.0.1:9/x"]) == 1
        assert f"tokcodec[{scheme}]" in capsys.readouterr().err


def test_sending_loads_no_torch(tmp_path: Path):
    picture = tmp_path / "a.png"
    Image.new("RGB", (4, 4)).save(picture)
    code = (
        "import sys; sys.modules['torch'] = sys.modules['onnxruntime'] = None\n"
        "from tokcodec.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    port = free_port()
    command = [sys.executable, "-c", code, "send", str(picture), "--to", f"udp://127.0.0.1:{port}"]
    assert subprocess.run(command, check=False, timeout=60).returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_serve_until_told_to_stop(tmp_path: Path, stream: bytes):
    (tmp_path / "a.tkc").write_bytes(stream)
    command = [sys.executable, "-c", CODE, "serve", str(tmp_path), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        address = server.stdout.readline().split()[-1]  # type: ignore[union-attr]
        request = urllib.request.Request(f"{address}a.tkc", headers={"Range": "bytes=0-99"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert tokcodec.decode(answer.read(), decoder="linear").size == (96, 80)
        server.terminate()
        assert server.wait(30) == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--quality", "600"], "quality"),
        (["--psnr", "600"], "psnr"),
        (["--model", "register-small", "--protect", "none", "--quality", "60"], "quality"),
        (["--model", "register-small", "--budget", "8"], "protect='none'"),
        (["--reference", "nonsense"], "no tokcodec stream"),
    ],
)
def test_a_wrong_option_costs_no_picture(
    wrong: list[str], said: str, tmp_path: Path, photograph, capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    camera = tmp_path / "camera"
    camera.mkdir()
    for name in ("coffee", "rocket"):
        Image.fromarray(photograph(name, 60, 40)).save(camera / f"{name}.png")
    (camera / "half.png").write_bytes((camera / "coffee.png").read_bytes()[:-300])
    Path("nonsense").write_bytes(b"this is no stream")
    send = ["send", "--watch", "camera", "--once", "--settle", "0", "--to",
            f"udp://127.0.0.1:{free_port()}"]  # fmt: skip
    assert main([*send, *wrong]) == 1
    told = capsys.readouterr()
    assert said in told.err
    assert told.out == ""
    assert main([*send, "--quality", "60"]) == 1  # half.png alone is left out
    told = capsys.readouterr()
    assert "half.png" in told.err
    assert told.out.count("bytes sent") == 2


def test_frames_unlike_the_others_stop_no_camera(
    tmp_path: Path, photograph, capsys: pytest.CaptureFixture
):
    """One of another size goes without the reference, a stream that announces too much not at all;
    grey ones, as of a covered lens, and those that follow are sent.
    """
    camera, key = tmp_path / "camera", tmp_path / "key.tkc"
    camera.mkdir()
    key.write_bytes(tokcodec.encode(photograph("coffee", 60, 40), max_bytes=90))
    huge = framing.head(tokcodec.load().model, (65536, 2000), False) + b"abc"
    (camera / "0-huge.tkc").write_bytes(huge)
    Image.new("RGB", (60, 40)).save(camera / "1-black.png")
    Image.fromarray(photograph("coffee", 30, 20)).save(camera / "2-small.png")
    Image.fromarray(photograph("coffee", 60, 40)).save(camera / "3.png")
    send = ["send", "--watch", str(camera), "--once", "--settle", "0", "-m",
            "90", "--reference", str(key), "--to", f"udp://127.0.0.1:{free_port()}"]  # fmt: skip
    assert main(send) == 1
    told = capsys.readouterr()
    assert told.out.count("bytes sent") == 3
    assert "2-small.png: the reference has 60 x 40" in told.err
    assert told.err.count("looked at again later") == 1
    assert main(send) == 1
    again = capsys.readouterr()
    assert "0-huge.tkc" in again.err
    assert again.out == ""  # all others are done with


@pytest.mark.skipif(sys.platform == "win32", reason="signals are others there")
def test_watching_until_told_to_stop(tmp_path: Path, photograph):
    """What no broker took waits in the spool."""
    pytest.importorskip("paho.mqtt.client")
    Image.fromarray(photograph("coffee", 30, 20)).save(tmp_path / "a.png")
    command = [sys.executable, "-c", CODE, "send", "--watch", str(tmp_path), "--settle", "0",
               "--to", f"mqtt://127.0.0.1:{free_port()}/x", "--max-bytes", "60"]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as sender:
        assert "1 pictures wait" in sender.stderr.readline()  # type: ignore[union-attr]
        sender.terminate()
        assert "1 pictures wait in the spool" in sender.stderr.readline()  # type: ignore[union-attr]
        assert sender.wait(30) == 0
