"""What the documents show is what happens."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from PIL import Image

import tokcodec
from tokcodec import cli
from tokcodec.stream.header import HASHED

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "docs" / "training.md",
    *(ROOT / "docs" / "guides").glob("*.md"),
]
COMMAND = re.compile(r"^tokcodec [a-z].*$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ELSEWHERE = {"send", "receive", "serve", "train"}  # commands that need others, or take long


def test_the_package_example():
    assert doctest.testmod(tokcodec).failed == 0


@pytest.mark.parametrize("name", ["tour.md"])
def test_the_tour(name):
    assert doctest.testfile(str(ROOT / "docs" / name), module_relative=False).failed == 0


def test_the_format_names_the_shipped_models():
    text = (ROOT / "docs" / "FORMAT.md").read_text()
    shipped = [m for m in tokcodec.models() if m.code != HASHED]
    assert len(shipped) == 3
    assert all(f"| {m.code} | `{m.name}`" in text and m.id in text for m in shipped)


def test_every_public_name_says_what_it_is():
    assert len(tokcodec.__all__) < 24
    for name in tokcodec.__all__:
        assert getattr(tokcodec, name).__doc__, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_understood(page: Path):
    """They parse; what they do is for tests of their own."""
    for line in COMMAND.findall(page.read_text()):
        cli._parser().parse_args(shlex.split(line, comments=True)[1:])


@pytest.mark.parametrize("page", ["README.md", "effort.md", "fixed-camera.md", "small-devices.md"])
def test_a_page_runs_from_top_to_bottom(
    page: str, photograph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Every block as it is written, one after another, in a folder with a few photographs."""
    pytest.importorskip("torch")
    pytest.importorskip("ml_dtypes")
    monkeypatch.chdir(tmp_path)
    frames = [photograph("coffee", 64, 48), photograph("coffee", 64, 48).copy()]
    frames[1][10:30, 20:40] = photograph("chelsea", 20, 20)
    for name in ("photo.jpg", "other.jpg", "monday.png", "tuesday.png"):
        Image.fromarray(frames[name == "tuesday.png"]).save(name)
    streams = [tokcodec.encode(f, budget=64) for f in frames]
    names = {"tokcodec": tokcodec, "picture": frames[0], "frames": frames, "streams": streams}
    names |= {"frame": frames[1]}
    ran = 0
    for kind, text in BLOCK.findall(next(p for p in PAGES if p.name == page).read_text()):
        if kind == "python":
            exec(compile(text, page, "exec"), names)
            ran += 1
        for line in [] if kind else COMMAND.findall(text):
            verb, *arguments = shlex.split(line, comments=True)[1:]
            if verb not in ELSEWHERE:
                assert cli.main([verb, *arguments]) == 0, line
                ran += 1
    assert ran >= 3
