"""What the documents show is what happens."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest

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


def test_ten_verbs_and_the_nouns_they_need():
    assert all(hasattr(tokcodec, name) for name in tokcodec.__all__)
    assert "@" not in (ROOT / "docs" / "FORMAT.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_understood(page: Path):
    """They parse; what they do is for tests of their own."""
    for line in COMMAND.findall(page.read_text()):
        cli._parser().parse_args(shlex.split(line, comments=True)[1:])
