"""From a camera's folder to the spool: what counts as a picture, and what is looked at again."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import tokcodec
from benchmarks.mosquitto import free_port
from tokcodec import registry
from tokcodec.cli import main
from tokcodec.cli.sending import _Drain, _Take
from tokcodec.errors import LinkError, OutputError
from tokcodec.files import read
from tokcodec.stream import header as headers
from tokcodec.stream.header import Header
from tokcodec.transport.folder import Folder
from tokcodec.transport.senders import Sender
from tokcodec.transport.spool import File, Spool


@pytest.fixture
def camera(tmp_path: Path, photograph) -> Path:
    folder = tmp_path / "camera"
    folder.mkdir()
    for name in ("coffee", "rocket"):
        Image.fromarray(photograph(name, 60, 40)).save(folder / f"{name}.png")
    return folder


def encode(path: Path) -> bytes:
    return tokcodec.encode(path, max_bytes=90)


def taking(camera: Path, spool: Spool, stream_of: Callable[[Path], bytes] = encode) -> _Take:
    return _Take(spool, Folder(camera, {".png", ".tkc"}, 0.0), stream_of)


def test_what_the_system_does_not_give_is_looked_at_again(
    camera: Path, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    with Spool(tmp_path / "spool") as spool:
        folder = Folder(camera, {".png"}, 0.0)
        take = taking(camera, spool)
        files = folder.finished(spool.knows)
        with monkeypatch.context() as broken:
            failure = OSError(errno.EIO, "Input/output error")

            def fail(*_: object, **__: object) -> None:
                raise failure

            broken.setattr(Path, "open", fail)
            broken.setattr("builtins.open", fail)
            for file in 2 * files:
                take(file)
        assert take.unread == set(files)
        assert len(spool) == take.refused == 0
        assert capsys.readouterr().err.count("looked at again later") == 2
        for file in folder.finished(spool.knows):
            take(file)
        assert len(spool) == 2
        assert not take.unread


def test_a_stream_of_a_model_that_is_not_here_stops_no_camera(
    camera: Path, capsys: pytest.CaptureFixture
):
    other = camera / "a.tkc"
    other.write_bytes(headers.write(Header(registry.HASHED, 8, 8, hash=b"abcd"), bytes(32)))
    to = f"udp://127.0.0.1:{free_port()}"
    watch = ["send", "--watch", str(camera), "--once", "--settle", "0", "-m", "90", "--to", to]
    assert main(watch) == 1
    told = capsys.readouterr()
    assert told.out.count("bytes sent") == 2
    assert "a.tkc: the stream needs the model 61626364" in told.err
    assert main(watch) == 1
    assert "looked at again later" in capsys.readouterr().err  # with its model it could be sent
    other.unlink()
    assert main(watch) == 0


@pytest.mark.parametrize("protect", ["priority", "none"])
@pytest.mark.parametrize("limits", [[], ["-m", "90"]])
def test_pictures_and_streams_that_are_too_large_are_not_sent(
    camera: Path, protect: str, limits: list[str], capsys: pytest.CaptureFixture
):
    stream = camera / "a.tkc"
    stream.write_bytes(encode(camera / "coffee.png"))
    send = ["send", "--to", f"udp://127.0.0.1:{free_port()}", "--protect", protect, *limits]
    send += [str(camera / "coffee.png"), str(stream)]
    assert main([*send, "--max-pixels", "2399"]) == 1
    told = capsys.readouterr()
    assert told.err.count("60 x 40") == 2
    assert told.out == ""
    assert main([*send, "--max-pixels", "2400"]) == 0
    assert capsys.readouterr().out.count("bytes sent") == 2


def test_what_is_too_large_for_a_camera_is_sent_once_it_may_be(
    camera: Path, capsys: pytest.CaptureFixture
):
    (camera / "a.tkc").write_bytes(encode(camera / "coffee.png"))
    watch = ["send", "--watch", str(camera), "--once", "--settle", "0"]
    watch += ["--to", f"udp://127.0.0.1:{free_port()}"]
    assert main([*watch, "--max-pixels", "2399"]) == 1
    assert capsys.readouterr().err.count("looked at again later") == 3
    assert main(watch) == 0
    assert capsys.readouterr().out.count("bytes sent") == 3


def test_a_header_that_is_too_long_stops_no_camera(camera: Path, capsys: pytest.CaptureFixture):
    key = encode(camera / "rocket.png")
    data = tokcodec.encode(camera / "rocket.png", max_bytes=90, reference=key)
    (camera / "a.tkc").write_bytes(data)
    watch = ["send", "--watch", str(camera), "--once", "--settle", "0", "--protect", "none"]
    watch += ["--to", f"udp://127.0.0.1:{free_port()}"]
    assert main([*watch, "-m", "8"]) == 1
    told = capsys.readouterr()
    assert "is smaller than the header" in told.err
    assert told.out.count("bytes sent") == 2
    assert main([*watch, "-m", "90"]) == 0
    assert capsys.readouterr().out.count("bytes sent") == 1


def test_a_wrong_option_is_told_before_there_is_a_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    watch = ["send", "--watch", str(tmp_path), "--once", "--to", f"udp://127.0.0.1:{free_port()}"]
    assert main(watch) == 0
    assert main([*watch, "--quality", "300"]) == 1
    assert "quality" in capsys.readouterr().err


def test_a_folder_that_is_away_for_a_while(camera: Path, tmp_path: Path):
    with Spool(tmp_path / "spool") as spool:
        take, folder = taking(camera, spool), Folder(camera, {".png"}, 0.0)
        files = folder.finished(spool.knows)
        away = camera.rename(tmp_path / "away")
        for file in files:
            take(file)
        assert not any(map(spool.knows, files))
        away.rename(camera)
        for file in folder.finished(spool.knows):
            take(file)
        assert len(spool) == 2


def test_a_file_that_changes_after_it_rested_waits(camera: Path, tmp_path: Path):
    """Half of a stream is a stream, too: nothing else would tell."""
    before, after = (tokcodec.encode(camera / f"{n}.png", psnr=30) for n in ("coffee", "rocket"))
    path = camera / "a.tkc"
    path.write_bytes(before)
    with Spool(tmp_path / "spool") as spool:
        folder = Folder(camera, {".tkc"}, 0.0)
        (file,) = folder.finished(spool.knows)
        path.write_bytes(after[:300])
        taking(camera, spool)(file)
        assert len(spool) == 0

        def late(path: Path) -> bytes:
            data = read(path)
            path.write_bytes(after)  # while it is read
            return data

        (file,) = folder.finished(spool.knows)
        taking(camera, spool, late)(file)
        assert len(spool) == 0
        (file,) = folder.finished(spool.knows)
        taking(camera, spool, read)(file)
        assert [waiting.stream for waiting in spool.first(9)] == [after]


def test_a_spool_that_is_taken_away_is_told(camera: Path, tmp_path: Path):
    with Spool(camera / "spool") as spool:
        spool.check()
        shutil.rmtree(camera)
        with pytest.raises(OutputError, match="taken away"):
            spool.check()
        camera.mkdir()
        (camera / "spool").write_bytes(b"another")
        with pytest.raises(OutputError, match="taken away"):
            spool.check()


def test_a_folder_that_cannot_be_looked_into_is_told(
    camera: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    (camera / "below").mkdir()
    real = os.scandir

    def scandir(path: Path):
        if Path(path).name == "below":
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    monkeypatch.setattr("os.scandir", scandir)
    send = ["send", "--watch", str(camera), "--once", "--settle", "0", "-m", "90", "--to"]
    assert main([*send, f"udp://127.0.0.1:{free_port()}"]) == 1
    told = capsys.readouterr()
    assert told.out.count("bytes sent") == 2
    assert told.err.count("below: cannot be looked into: Permission denied") == 1


def test_what_these_options_cannot_send_is_sent_with_others(
    camera: Path, capsys: pytest.CaptureFixture
):
    send = ["send", "--watch", str(camera), "--once", "--settle", "0", "--psnr", "45", "--to",
            f"udp://127.0.0.1:{free_port()}"]  # fmt: skip
    assert main([*send, "--mtu", "10"]) == 1  # the larger one takes more than 510 packets
    told = capsys.readouterr()
    assert told.err.count("kept in the spool") == 1
    assert told.out.count("bytes sent") == 1
    assert main([*send, "--mtu", "1200"]) == 0
    assert capsys.readouterr().out.count("bytes sent") == 1


def test_pictures_that_were_begun_go_on_together(camera: Path, tmp_path: Path):
    """A picture that comes while the link is gone is not mixed into those under way."""

    class Breaking(Sender):
        together = 4

        def __init__(self) -> None:
            self.given: list[list[bytes]] = []

        def room(self, max_bytes: int | None) -> int | None:
            return max_bytes

        def send(self, pictures, timeout):
            self.given.append([identity for identity, _ in pictures])
            if len(self.given) == 1:
                raise LinkError("gone")
            return [len(stream) for _, stream in pictures]

        def close(self) -> None:
            pass

    with Spool(tmp_path / "spool") as spool:
        for n in range(2):
            spool.take(File(f"{n}", 1, 1), bytes([n]), b"stream")
        sender = Breaking()
        drain = _Drain(spool, sender)
        drain(1.0)
        spool.take(File("2", 1, 1), bytes([2]), b"stream")
        drain(1.0)
        assert sender.given == [[b"\0", b"\1"], [b"\0", b"\1"], [b"\2"]]
        assert drain.through


def test_the_same_picture_twice_is_sent_twice(camera: Path, capsys: pytest.CaptureFixture):
    picture = str(camera / "coffee.png")
    to = f"udp://127.0.0.1:{free_port()}"
    assert main(["send", picture, picture, "--together", "2", "-m", "90", "--to", to]) == 0
    assert capsys.readouterr().out.count("bytes sent") == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--burst", "0"], "burst"),
        (["--forget", "nan"], "free again"),
        (["--rate", "inf"], "rate"),
        (["--mtu", "65535"], "65,507"),
    ],
)
def test_options_without_a_meaning(
    wrong: list[str], said: str, camera: Path, capsys: pytest.CaptureFixture
):
    to = f"udp://127.0.0.1:{free_port()}"
    assert main(["send", str(camera / "coffee.png"), "--to", to, *wrong]) == 1
    assert said in capsys.readouterr().err
