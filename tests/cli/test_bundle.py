"""`tokcodec bundle` and `unbundle`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import tokcodec
from tests.cli.typed import Stdin, names, one_line, photo, run
from tokcodec import Bundle


@pytest.fixture
def streams(tree: Path) -> Path:
    """A folder of streams, some of them in folders inside."""
    assert run("encode", "in", "-m", 60, "-o", "streams") == 0
    return tree / "streams"


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names(folder)}


def test_there_and_back(streams: Path) -> None:
    assert run("bundle", "streams", "-o", "new/many.tkb") == 0
    assert Bundle("new/many.tkb").names == names(streams)
    assert run("unbundle", "new/many.tkb", "-o", "back") == 0
    assert contents(Path("back")) == contents(streams)


def test_files_are_called_as_they_are_and_stdin_by_its_number(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = (folder / "cat.tkc").read_bytes()
    monkeypatch.setattr(sys, "stdin", Stdin(stream))
    assert run("bundle", folder / "cat.tkc", "-", "-o", "b.tkb") == 0
    assert Bundle("b.tkb").names == ["cat.tkc", ""]
    assert run("unbundle", "b.tkb", "-o", "back") == 0
    assert contents(Path("back")) == {"cat.tkc": stream, "1.tkc": stream}


def test_a_stream_without_a_name_gets_one_that_no_other_has(folder: Path) -> None:
    stream = (folder / "cat.tkc").read_bytes()
    Bundle.write("b.tkb", [stream[: 20 + i] for i in range(3)], ["1.tkc", "", ""])
    assert run("unbundle", "b.tkb", "-o", "back") == 0
    sizes = {name: len(data) for name, data in contents(Path("back")).items()}
    assert sizes == {"1.tkc": 20, "1_.tkc": 21, "2.tkc": 22}


def test_a_file_that_is_named_twice_is_packed_once(streams: Path) -> None:
    top = next(name for name in names(streams) if "/" not in name)
    again = [f"streams/{top}", "streams", f"./streams/{top}", streams / top]
    assert run("bundle", *again, "-o", "b.tkb") == 0
    assert sorted(Bundle("b.tkb").names) == names(streams)
    assert run("unbundle", "b.tkb", "-o", "back") == 0
    assert contents(Path("back")) == contents(streams)


def test_what_is_no_place_for_a_bundle(folder: Path, capsys) -> None:
    (folder / "below").mkdir()
    for given, said in ((["cat.tkc", "-o", "below"], "is a folder: name a file"),
                        (["below", "-o", "new/b.tkb"], "below holds no file")):  # fmt: skip
        assert run("bundle", *given) == 1
        assert said in one_line(capsys.readouterr().err)
    assert not (folder / "new").exists()


def test_nothing_is_replaced_without_force(folder: Path, capsys) -> None:
    (folder / "b.tkb").write_bytes(b"mine")
    assert run("bundle", "cat.tkc", "-o", "b.tkb") == 1
    assert "exists already" in one_line(capsys.readouterr().err)
    assert (folder / "b.tkb").read_bytes() == b"mine"
    assert run("bundle", "cat.tkc", "-o", "b.tkb", "-f") == 0
    stream = (folder / "cat.tkc").read_bytes()
    (folder / "cat.tkc").write_bytes(b"mine")
    assert run("unbundle", "b.tkb", "-o", ".") == 1
    assert "exists already" in one_line(capsys.readouterr().err)
    assert (folder / "cat.tkc").read_bytes() == b"mine"
    assert run("unbundle", "b.tkb", "-o", ".", "-f") == 0
    assert (folder / "cat.tkc").read_bytes() == stream


def test_one_that_cannot_be_packed_is_named_and_leaves_no_bundle(folder: Path, capsys) -> None:
    (folder / "bad.tkc").write_bytes(b"no stream")
    (folder / "other.tkc").write_bytes(tokcodec.encode(photo(), 20, model="pyramid-2"))
    (folder / "below").mkdir()
    (folder / "below" / "cat.tkc").write_bytes((folder / "cat.tkc").read_bytes())
    for wrong, said in [
        ("bad.tkc", "bad.tkc: this is no tokcodec stream"),
        ("other.tkc", "other.tkc: a bundle holds streams of one model"),
        ("none.tkc", "cannot read none.tkc"),
        ("below/cat.tkc", "would both be cat.tkc"),
    ]:
        assert run("bundle", "cat.tkc", wrong, "-o", "b.tkb") == 1
        assert said in one_line(capsys.readouterr().err)
    assert run("bundle", "cat.tkc", "-o", "-") == 1
    assert "name it with -o" in one_line(capsys.readouterr().err)
    assert names(folder) == ["bad.tkc", "below/cat.tkc", "cat.png", "cat.tkc", "other.tkc"]
    assert run("unbundle", "cat.tkc", "-o", "back") == 1
    assert "no tokcodec bundle" in one_line(capsys.readouterr().err)


def test_names_lead_nowhere_else(folder: Path, capsys) -> None:
    stream = (folder / "cat.tkc").read_bytes()
    wrong = ["../a.tkc", str(folder / "b.tkc"), "c/../../d.tkc", "..", ".", "e\0.tkc"]
    good = [".profile", "f.png", "g/h.tkc", "g/h.tkc"]
    Bundle.write("b.tkb", [stream] * 10, wrong + good)
    assert run("unbundle", "b.tkb", "-o", "deep/back", "-f") == 1
    told = capsys.readouterr().err.splitlines()
    assert sum("no file inside the folder" in line for line in told) == 6
    assert sum("g/h.tkc, too" in line for line in told) == 1
    assert len(told) == 7
    back = [".profile.tkc", "f.png.tkc", "g/h.tkc"]
    assert names(folder) == sorted(
        ["b.tkb", "cat.png", "cat.tkc", *(f"deep/back/{name}" for name in back)]
    )


def test_a_model_that_is_not_shipped(own: Path, folder: Path, monkeypatch) -> None:
    assert run("encode", "cat.png", "-b", 20, "--model", own, "-f", "-o", "own.tkc") == 0
    assert run("bundle", "own.tkc", "-o", "b.tkb", "--model", own) == 0
    assert run("unbundle", "b.tkb", "-o", "back", "--model", own) == 0
    assert contents(Path("back")) == {"own.tkc": (folder / "own.tkc").read_bytes()}
