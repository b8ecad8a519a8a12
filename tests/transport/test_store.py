"""Stored once, whole, whatever is delivered how often."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from PIL import Image

import tokcodec
from tokcodec.errors import ArgumentError, InputError, OutputError, StreamError
from tokcodec.transport import message, store
from tokcodec.transport.store import MEMORY, Store, inside


def draw(stream: bytes) -> Image.Image:
    return tokcodec.decode(stream, decoder="linear")


def test_once(tmp_path: Path, stream: bytes):
    out = tmp_path / "deep" / "out"
    with Store(out, ".tkc", draw) as found:
        path = found.put(b"12345678", stream)
        assert path is not None
        assert path.name == b"12345678".hex() + ".tkc"
        assert path.read_bytes() == stream
        assert found.put(b"12345678", stream[:50]) is None
        assert path.read_bytes() == stream
    path.unlink()  # somebody took it away
    with Store(out, ".tkc", draw) as found:
        assert found.put(b"12345678", stream) is None
        assert b"12345678" in found
        assert b"87654321" not in found
    assert [p.name for p in out.iterdir()] == [MEMORY]


def test_names_of_receivers(tmp_path: Path):
    """One for each broker, topic and folder, for as long as the folder is there."""
    gate, yard = ("broker:1883", "cameras/gate"), ("broker:1883", "cameras/yard")
    with Store(tmp_path / "a", ".tkc", draw) as found:
        names = [found.name(*gate), found.name(*yard), found.name("broker:1884", gate[1])]
        assert found.name(*gate) == names[0]
        assert found.name("broker", "\udcff").startswith("tokcodec-")  # of an argument, no UTF-8
    with Store(tmp_path / "b", ".tkc", draw) as found:
        names.append(found.name(*gate))
    assert len(set(names)) == 4
    (tmp_path / "a").rename(tmp_path / "moved")
    with Store(tmp_path / "moved", ".tkc", draw) as found:
        assert [found.name(*gate), found.name(*yard)] == names[:2]


def test_a_name_is_settled_before_its_use(tmp_path: Path):
    """Without what SQLite has not yet moved into the file itself, as after a cut in power."""
    with Store(tmp_path / "a", ".tkc", draw) as found:
        name = found.name("broker:1883", "cameras/gate")
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / MEMORY).write_bytes((tmp_path / "a" / MEMORY).read_bytes())
    with Store(tmp_path / "b", ".tkc", draw) as found:
        assert found.name("broker:1883", "cameras/gate") == name


def test_pictures(tmp_path: Path, stream: bytes):
    with Store(tmp_path, ".png", draw) as found:
        path = found.put(b"12345678", stream)
        assert path is not None
        assert Image.open(path).convert("RGB") == draw(stream)
        with pytest.raises(StreamError):
            found.put(b"87654321", b"nonsense")
        assert b"87654321" not in found
        better = found.replace(b"12345678", stream[:100])
        assert Image.open(better).convert("RGB") == draw(stream[:100])


def test_old_ids_are_forgotten(tmp_path: Path, stream: bytes, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "MAX_IDS", 3)
    with Store(tmp_path, ".tkc", draw) as found:
        for i in range(5):
            found.put(bytes([i]) * 8, stream)
        assert [bytes([i]) * 8 in found for i in range(5)] == [False, False, True, True, True]


def test_what_cannot_be_written_is_not_remembered(tmp_path: Path, stream: bytes):
    with Store(tmp_path, ".tkc", draw) as found:
        (tmp_path / (b"12345678".hex() + ".tkc")).mkdir()
        with pytest.raises(OutputError):
            found.put(b"12345678", stream)
        assert b"12345678" not in found
        with pytest.raises(InputError, match="locked"):
            Store(tmp_path, ".tkc", draw)
    with pytest.raises(ArgumentError, match="suffix"):
        Store(tmp_path, ".nonsense", draw)


@pytest.mark.parametrize(("suffix", "size"), [(".webp", (17_000, 4)), (".gif", (65_536, 1))])
def test_a_picture_that_its_format_cannot_hold_is_its_own_fault(
    suffix: str, size: tuple[int, int], tmp_path: Path, stream: bytes
):
    pictures = iter([Image.new("RGB", size), Image.new("RGB", (4, 4))])
    with Store(tmp_path, suffix, lambda _: next(pictures)) as found:
        with pytest.raises(InputError, match=suffix):
            found.put(b"12345678", stream)
        assert b"12345678" not in found
        assert found.put(b"87654321", stream) is not None


@pytest.mark.parametrize("suffix", [".msp", ".h5"])
def test_formats_that_hold_no_pictures_in_colour(suffix: str, tmp_path: Path):
    with pytest.raises(ArgumentError, match="suffix"):
        Store(tmp_path, suffix, draw)


def test_a_memory_that_cannot_be_read_is_no_fault_of_the_picture(tmp_path: Path, stream: bytes):
    with Store(tmp_path, ".tkc", draw) as found:
        found.close()
        with pytest.raises(OutputError, match="cannot read"):
            found.put(b"12345678", stream)


@pytest.mark.skipif(os.name != "posix", reason="folders cannot be opened there")
def test_a_files_name_is_on_the_disk_too(
    tmp_path: Path, stream: bytes, monkeypatch: pytest.MonkeyPatch
):
    path, synced, fsync = tmp_path / (b"12345678".hex() + ".tkc"), [], os.fsync

    def watched(number: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(number).st_mode), path.exists()))
        fsync(number)

    monkeypatch.setattr(os, "fsync", watched)
    with Store(tmp_path, ".tkc", draw) as found:
        assert found.put(b"12345678", stream) == path
    assert synced == [(False, False), (True, True)]


def test_messages(stream: bytes):
    identity = message.picture_id(stream, "gate", "1.jpg", "7")
    assert len(identity) == message.ID
    assert message.read(message.write(identity, stream)) == (identity, stream)
    others = [("gate", "1.jpg", "8"), ("gate", "1.jpg7"), ("gate1.jpg", "7"), ()]
    assert len({identity, *(message.picture_id(stream, *about) for about in others)}) == 5
    assert message.picture_id(stream[:-1], "gate", "1.jpg", "7") != identity
    damaged = stream[:4] + bytes([stream[4] ^ 1]) + stream[5:]
    for wrong in (b"", identity, identity + stream[:7], stream, identity + damaged):
        with pytest.raises(StreamError):
            message.read(wrong)


@pytest.mark.parametrize(
    ("topic", "folder"),
    [
        ("cameras/gate", "cameras/gate"),
        ("/cameras//gate/", "cameras/gate"),
        ("../../etc/passwd", "etc/passwd"),
        ("cameras/.tokcodec-received.sqlite", "cameras/tokcodec-received.sqlite"),
        ("a\\b/c:d/e f/\N{SNOWMAN}\0", "a_b/c_d/e_f/__"),
        ("Küche/" + 300 * "x", "Küche/" + 60 * "x"),
        ("/".join("abcdefghijkl"), "a/b/c/d/e/f/g/h"),
        ("gate/3132333435363738.TKC", "gate/_3132333435363738.TKC"),
        ("70b3d57ed0000001/nul.x", "70b3d57ed0000001/_nul.x"),
        ("", "."),
        ("../..", "."),
    ],
)
def test_a_topic_leads_nowhere_else(topic: str, folder: str):
    assert inside(topic) == Path(folder)


def test_by_topic(tmp_path: Path, stream: bytes):
    with Store(tmp_path, ".tkc", tokcodec.decode) as found:
        path = found.put(b"12345678", stream, topic="cameras/gate")
        assert path == tmp_path / "cameras" / "gate" / "3132333435363738.tkc"
        assert path.read_bytes() == stream
        assert found.put(b"12345678", stream, topic="cameras/yard") is None  # it was here before


def test_no_topic_takes_the_place_of_a_picture(tmp_path: Path, stream: bytes):
    """Whoever may publish could stop a receiver with one message."""
    here, later = b"12345678", b"87654321"
    with Store(tmp_path, ".tkc", draw) as found:
        assert found.put(here, stream, topic="gate") is not None
        for number, name in enumerate((here, later)):
            assert found.put(bytes([number]) * 8, stream, topic=f"gate/{name.hex()}.tkc")
        assert found.put(later, stream, topic="gate") is not None
    assert len(list(tmp_path.rglob("*.tkc/*.tkc"))) == 2


@pytest.mark.skipif(os.name != "posix", reason="folders cannot be opened there")
def test_a_topics_folders_are_on_the_disk_too(
    tmp_path: Path, stream: bytes, monkeypatch: pytest.MonkeyPatch
):
    synced, fsync = set(), os.fsync

    def watched(number: int) -> None:
        synced.add(os.fstat(number).st_ino)
        fsync(number)

    monkeypatch.setattr(os, "fsync", watched)
    with Store(tmp_path, ".tkc", draw) as found:
        path = found.put(b"12345678", stream, topic="cameras/gate")
        assert path is not None
    assert synced >= {each.stat().st_ino for each in (path, *path.parents[:3])}
