"""From a camera's folder to the spool: what counts as a picture, and what is looked at again."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import tokcodec
from benchmarks.mosquitto import free_port
from tokcodec.cli import main
from tokcodec.errors import OutputError
from tokcodec.files import read
from tokcodec.transport.folder import Folder
from tokcodec.transport.sending import _Take
from tokcodec.transport.spool import Spool


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
