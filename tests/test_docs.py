"""What the documents show is what happens."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

import tokcodec

ROOT = Path(__file__).parents[1]


def test_the_package_example():
    assert doctest.testmod(tokcodec).failed == 0


@pytest.mark.parametrize("name", ["tour.md"])
def test_the_tour(name):
    assert doctest.testfile(str(ROOT / "docs" / name), module_relative=False).failed == 0


def test_the_format_names_the_shipped_model():
    pyramid, *_ = tokcodec.models()
    assert pyramid.id in (ROOT / "docs" / "FORMAT.md").read_text()


def test_ten_verbs_and_the_nouns_they_need():
    assert all(hasattr(tokcodec, name) for name in tokcodec.__all__)
    assert "@" not in (ROOT / "docs" / "FORMAT.md").read_text()
