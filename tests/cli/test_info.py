"""`tokcodec info`, in words and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

import tokcodec
from tests.cli.typed import photo, run
from tokcodec import registry
from tokcodec.registry import DEFAULT


def test_info_in_words(folder: Path, capsys) -> None:
    assert run("info", "cat.tkc") == 0
    out = capsys.readouterr().out
    found = tokcodec.info((folder / "cat.tkc").read_bytes())
    for part in ("cat.tkc: 48x32", DEFAULT, f"{found.bytes} bytes", f"{found.tokens} tokens"):
        assert part in out
    assert out.endswith("a prefix\n")
    assert "grey" not in out


def test_info_tells_grey_and_complete(folder: Path, capsys) -> None:
    flat = np.full((4, 4), 77, np.uint8)
    stream = tokcodec.encode(flat, 10**6)
    (folder / "flat.tkc").write_bytes(stream)
    assert tokcodec.info(stream).complete
    assert run("info", "flat.tkc") == 0
    out = capsys.readouterr().out
    assert "4x4, grey" in out
    assert out.endswith("complete\n")


def test_info_as_json(folder: Path, capsys) -> None:
    (folder / "empty.tkc").write_bytes(tokcodec.encode(photo(), budget=0))
    assert run("info", "--json", "cat.tkc", "empty.tkc") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.pop("file") for line in lines] == ["cat.tkc", "empty.tkc"]
    assert lines[0] == tokcodec.info((folder / "cat.tkc").read_bytes()).as_dict()
    assert lines[1]["tokens"] == 0


def test_info_of_the_header_only(folder: Path, capsys) -> None:
    assert run("info", "--json", "--no-count", "cat.tkc") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["width"], found["height"]) == (48, 32)
    assert found["tokens"] is found["digits"] is found["complete"] is None
    assert run("info", "--no-count", "cat.tkc") == 0
    out = capsys.readouterr().out
    assert "tokens" not in out
    assert out.endswith("pixel)\n")


def test_info_of_a_tree(tree: Path, capsys) -> None:
    assert run("encode", "in", "-b", 5) == 0
    assert run("info", "in", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == ["in/a/b/rocket.tkc", "in/a/cup.tkc", "in/cat.tkc"]


def test_info_and_cut_of_a_model_of_ones_own(folder: Path, own: Path, monkeypatch, capsys) -> None:
    stream = tokcodec.encode(photo(), 30, model=own)
    (folder / "own.tkc").write_bytes(stream)
    monkeypatch.setattr(registry, "_opened", {})
    assert run("info", "own.tkc", "--json", "--model", own) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "own"
    monkeypatch.setattr(registry, "_opened", {})
    assert run("cut", "own.tkc", "-m", 20, "-o", "short.tkc", "--model", own) == 0
    assert (folder / "short.tkc").read_bytes() == stream[:20]
