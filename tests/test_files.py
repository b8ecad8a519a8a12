"""Files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tokcodec.errors import InputError, OutputError, OutputExistsError
from tokcodec.files import atomic_file, check_free, make_folder, read, write_atomically


@contextmanager
def small_disk(room: int) -> Iterator[None]:
    """No file can grow beyond `room` bytes."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("contents", [b"", b"some bytes", bytes(1 << 20)])
def test_a_new_file(tmp_path: Path, contents: bytes) -> None:
    write_atomically(tmp_path / "new", contents, overwrite=False)
    assert (tmp_path / "new").read_bytes() == contents
    assert names(tmp_path) == ["new"]


def test_a_path_as_text_and_in_the_working_folder(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_atomically("new", b"x", overwrite=False)
    assert names(tmp_path) == ["new"]


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    with pytest.raises(OutputExistsError, match="old exists already"):
        write_atomically(tmp_path / "old", b"new", overwrite=False)
    assert (tmp_path / "old").read_bytes() == b"old"
    assert names(tmp_path) == ["old"]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_appears_meanwhile_is_kept(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long work lies between the first look and the end; some disks have no hard links."""
    if not links:

        def link(*_: object) -> None:
            raise OSError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", link)

    def write() -> None:
        with atomic_file(tmp_path / "a", False) as f:
            f.write(b"new")
            (tmp_path / "a").write_bytes(b"precious")

    with pytest.raises(OutputExistsError, match="by now"):
        write()
    assert (tmp_path / "a").read_bytes() == b"precious"
    with atomic_file(tmp_path / "b", False) as f:
        f.write(b"new")
    assert (tmp_path / "b").read_bytes() == b"new"
    assert names(tmp_path) == ["a", "b"]


@pytest.mark.parametrize("wrong", [ConnectionResetError(104, "reset"), TimeoutError("timed out")])
def test_what_goes_wrong_on_a_wire_is_no_failure_to_write(wrong: OSError, tmp_path: Path) -> None:
    def write() -> None:
        with atomic_file(tmp_path / "a", False) as f:
            f.write(b"begun")
            raise wrong

    with pytest.raises(type(wrong)):
        write()
    assert names(tmp_path) == []


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "notes").write_bytes(b"")
    with pytest.raises(OutputError, match="it is a file"):
        make_folder(tmp_path / "notes")


def test_an_existing_file_is_replaced_when_asked_for(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"something longer")
    write_atomically(tmp_path / "old", b"new", overwrite=True)
    assert (tmp_path / "old").read_bytes() == b"new"
    assert names(tmp_path) == ["old"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_full_disk_leaves_nothing_new(tmp_path: Path, overwrite: bool) -> None:
    with small_disk(1000), pytest.raises(OutputError, match="cannot write"):
        write_atomically(tmp_path / "new", bytes(100_000), overwrite)
    assert names(tmp_path) == []


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")
    with small_disk(1000), pytest.raises(OutputError):
        write_atomically(tmp_path / "old", bytes(100_000), overwrite=True)
    assert (tmp_path / "old").read_bytes() == b"old"
    assert names(tmp_path) == ["old"]


def test_a_disk_that_fills_up_with_the_last_bytes(tmp_path: Path) -> None:
    """So few bytes that the failure comes when the file is flushed, not when it is written."""
    with small_disk(10), pytest.raises(OutputError):
        write_atomically(tmp_path / "new", bytes(20), overwrite=False)
    assert names(tmp_path) == []


def test_a_rename_that_fails_leaves_nothing_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    (tmp_path / "old").write_bytes(b"old")
    for name in ("replace", "rename"):
        monkeypatch.setattr(Path, name, fail)
        monkeypatch.setattr(os, name, fail)
    with pytest.raises(OutputError, match=os.strerror(errno.EIO)):
        write_atomically(tmp_path / "old", b"new", overwrite=True)
    assert (tmp_path / "old").read_bytes() == b"old"
    assert names(tmp_path) == ["old"]


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="No such file or directory"):
        write_atomically(tmp_path / "no" / "such" / "file", b"x", overwrite=False)
    assert names(tmp_path) == []


def test_a_file_in_place_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError):
        write_atomically(tmp_path / "file" / "inside", b"x", overwrite=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_is_never_replaced(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError):
        write_atomically(tmp_path / "folder", b"x", overwrite)
    assert names(tmp_path) == ["folder"]
    assert names(tmp_path / "folder") == []


def test_a_long_name_that_the_file_system_allows(tmp_path: Path) -> None:
    name = "n" * 251 + ".tkc"
    (tmp_path / name).touch()  # the test's own assumption
    (tmp_path / name).unlink()
    write_atomically(tmp_path / name, b"x", overwrite=False)
    assert names(tmp_path) == [name]


@pytest.mark.parametrize("name", ["n" * 256, "a\0b", "\ud800"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_impossible_names_are_told(tmp_path: Path, name: str, overwrite: bool) -> None:
    with pytest.raises(OutputError):
        write_atomically(tmp_path / name, b"x", overwrite)
    assert names(tmp_path) == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "real", tmp_path / "latest"
    real.write_bytes(b"old")
    link.symlink_to(real)
    with pytest.raises(OutputExistsError):
        write_atomically(link, b"new", overwrite=False)
    write_atomically(link, b"new", overwrite=True)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert names(tmp_path / "there") == ["real"]


def test_a_link_to_nothing_is_not_replaced_unasked(tmp_path: Path) -> None:
    link = tmp_path / "latest"
    link.symlink_to(tmp_path / "gone")
    with pytest.raises(OutputExistsError):
        write_atomically(link, b"new", overwrite=False)
    assert names(tmp_path) == ["latest"]
    write_atomically(link, b"new", overwrite=True)
    assert (tmp_path / "gone").read_bytes() == b"new"


def test_a_file_that_is_replaced_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "mine"
    path.write_bytes(b"old")
    path.chmod(0o600)
    with atomic_file(path, overwrite=True) as f:
        f.write(b"new")
        f.flush()
        seen = {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
    assert seen == {0o600} == {stat.S_IMODE(path.stat().st_mode)}  # nor does anybody see more
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("path", ["", ".", "/", "..", None, 3])
def test_a_path_without_a_name_is_told(path: object) -> None:
    with pytest.raises(OutputError):
        write_atomically(path, b"", overwrite=True)  # type: ignore[arg-type]


def test_a_file_larger_than_memory_is_told(tmp_path: Path, monkeypatch) -> None:
    def full(path: Path) -> bytes:
        raise MemoryError

    monkeypatch.setattr(Path, "read_bytes", full)
    with pytest.raises(InputError, match="memory"):
        read(tmp_path / "huge")


def test_a_pipe_or_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    """What `-o /dev/null -f` must not do."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        try:
            write_atomically(pipe, b"data", overwrite=True)
        except OutputError:
            pass  # to refuse is as good as to write into it
        else:
            assert os.read(reader, 10) == b"data"
        assert stat.S_ISFIFO(pipe.stat().st_mode)
    finally:
        os.close(reader)


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "usual").write_bytes(b"")
    write_atomically(tmp_path / "new", b"", overwrite=False)
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_an_error_inside_leaves_nothing_behind_and_passes(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"old")

    def fail() -> None:
        with atomic_file(tmp_path / "old", overwrite=True) as f:
            f.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (tmp_path / "old").read_bytes() == b"old"
    assert names(tmp_path) == ["old"]


def test_an_error_of_another_file_is_not_told_as_one_of_this(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_file(tmp_path / "new", overwrite=False) as f:
        f.write((tmp_path / "missing").read_bytes())
    assert names(tmp_path) == []
    with pytest.raises(OSError, match="truncated"), atomic_file(tmp_path / "new", False):
        raise OSError("image file is truncated")  # as Pillow says, and no call of the system
    assert names(tmp_path) == []


def test_nothing_is_seen_under_the_name_before_the_end(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "new", overwrite=False) as f:
        f.write(b"half")
        f.flush()
        assert not (tmp_path / "new").exists()
    assert (tmp_path / "new").read_bytes() == b"half"


def test_folders_are_made_and_kept(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    (tmp_path / "a" / "b" / "kept").touch()
    make_folder(tmp_path / "a" / "b")
    assert names(tmp_path / "a" / "b") == ["kept"]


def test_no_folder_where_a_file_is(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot make the folder"):
        make_folder(tmp_path / "file")


def test_whether_a_result_can_be_written_is_known_before_long_work(tmp_path: Path) -> None:
    check_free(tmp_path / "new" / "inside" / "result")
    assert names(tmp_path) == []
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "result").write_bytes(b"old")
    with pytest.raises(OutputExistsError, match="result exists already"):
        check_free(tmp_path / "new" / "result")
    with pytest.raises(OutputError):
        check_free(tmp_path / "new" / "result" / "inside")
