"""What waits for a link survives; what a camera has not finished is left alone."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from tokcodec.errors import InputError, OutputError
from tokcodec.transport.folder import Folder
from tokcodec.transport.spool import File, Spool

ONE, TWO = File("a.jpg", 10, 1), File("DCIM/b.jpg", 20, 2)


class Clock:
    """Seconds as the test likes."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_first_in_first_out_over_restarts(tmp_path: Path):
    path = tmp_path / "deep" / "spool"
    with Spool(path) as spool:
        sender = spool.sender
        spool.take(ONE, b"id-of-a.", b"stream a")
        spool.take(TWO, b"id-of-b.", b"stream b")
        spool.take(File("broken.jpg", 1, 1), b"", None)
    with Spool(path) as spool:
        assert spool.sender == sender
        assert len(spool) == 2
        assert [waiting.id for waiting in spool.first(3)] == [b"id-of-a.", b"id-of-b."]
        (first,) = spool.first()
        assert (first.id, first.stream) == (b"id-of-a.", b"stream a")
        spool.sent(first)
    with Spool(path) as spool:
        (second,) = spool.first(2)
        assert second.id == b"id-of-b."
        spool.sent(second)
        assert spool.first() == []
        assert all(map(spool.knows, (ONE, TWO, File("broken.jpg", 1, 1))))
    assert Spool(tmp_path / "another").sender != sender


def test_what_was_taken_is_on_the_disk_for_good(tmp_path: Path):
    """The camera may delete its file then: the statements that SQLite needs to hear for that."""
    heard: list[str] = []
    with Spool(tmp_path / "spool") as spool:
        spool._ledger._file.set_trace_callback(heard.append)
        spool.take(ONE, b"id", b"stream")
        spool.sent(*spool.first())
    modes = [s.rpartition(" ")[2] for s in heard if s.startswith("PRAGMA synchronous")]
    assert modes == ["FULL", "NORMAL"]
    assert heard.index("PRAGMA synchronous = FULL") < heard.index("BEGIN")
    assert heard.index("COMMIT") < heard.index("PRAGMA synchronous = NORMAL")


def test_another_version_is_another_picture(tmp_path: Path):
    with Spool(tmp_path / "spool") as spool:
        spool.take(ONE, b"id", b"stream")
        assert spool.knows(ONE)
        assert not spool.knows(ONE._replace(size=11))
        assert not spool.knows(ONE._replace(time=3))
        assert not spool.knows(TWO)
        spool.take(File("\udcff.jpg", 1, 1), b"id", b"stream")  # a name that is no UTF-8
        assert spool.knows(File("\udcff.jpg", 1, 1))


def test_taking_is_all_or_nothing(tmp_path: Path):
    with Spool(tmp_path / "spool") as spool:
        with pytest.raises(OutputError):
            spool.take(ONE, None, b"stream")  # type: ignore[arg-type]
        assert not spool.knows(ONE)
        assert len(spool) == 0
        spool.take(ONE, b"id", b"stream")


def test_a_killed_program_leaves_a_good_spool(tmp_path: Path):
    pid = os.fork() if hasattr(os, "fork") else pytest.skip("needs fork")
    if pid == 0:
        spool = Spool(tmp_path / "spool")
        spool.take(ONE, b"id", b"stream")
        os._exit(9)
    os.waitpid(pid, 0)
    with Spool(tmp_path / "spool") as spool:
        assert len(spool) == 1


def test_the_senders_name_survives_a_cut_in_power(tmp_path: Path):
    """What SQLite has only in its log may be gone then."""
    with Spool(tmp_path / "spool") as spool:
        shutil.copy(tmp_path / "spool", tmp_path / "after")
        with Spool(tmp_path / "after") as after:
            assert after.sender == spool.sender


def test_one_program_at_a_time_and_no_other_files(tmp_path: Path):
    with Spool(tmp_path / "spool"), pytest.raises(InputError, match="locked"):
        Spool(tmp_path / "spool")
    (tmp_path / "text").write_text("no database, but long enough to look at" * 30)
    with pytest.raises(InputError, match="not a database"):
        Spool(tmp_path / "text")
    with pytest.raises(OutputError):
        Spool(tmp_path / "text" / "spool")
    sqlite3.connect(tmp_path / "spool").close()  # free again


def test_files_rest_before_they_count(tmp_path: Path):
    clock, known = Clock(), set()
    folder = Folder(tmp_path, {".jpg"}, 2.0, clock)

    def finished() -> list[str]:
        return [file.name for file in folder.finished(known.__contains__)]

    (tmp_path / "DCIM").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("DCIM/b.JPG", "a.jpg", ".a.jpg", "a.txt", ".hidden/c.jpg"):
        (tmp_path / name).write_bytes(b"start")
    os.utime(tmp_path / "a.jpg", ns=(5, 5))  # the camera's clock may be wrong
    os.utime(tmp_path / "DCIM/b.JPG", ns=(4, 4))
    assert finished() == []
    assert folder.waiting
    clock.now = 1.9
    (tmp_path / "DCIM/b.JPG").write_bytes(b"start and more")
    assert finished() == []
    clock.now = 2.0
    assert finished() == ["a.jpg"]
    clock.now = 4.0
    os.utime(tmp_path / "a.jpg", ns=(6, 6))
    assert finished() == ["DCIM/b.JPG"]
    clock.now = 6.0
    assert finished() == ["a.jpg", "DCIM/b.JPG"]
    known.update(folder.finished(known.__contains__))
    assert finished() == []
    assert not folder.waiting
    (tmp_path / "a.jpg").unlink()
    assert finished() == []


def test_no_folder(tmp_path: Path):
    with pytest.raises(InputError, match="no folder"):
        Folder(tmp_path / "none", {".jpg"}, 2.0)
