"""Photographs to train on."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small photographs, one of them held out by its name."""
    from tests.conftest import load_photograph

    folder = tmp_path_factory.mktemp("photographs")
    held_out = next(n for n in map("{}.png".format, range(999)) if zlib.crc32(n.encode()) % 64 == 0)
    names = [held_out, "coffee.png", "chelsea.png"]
    for name, picture in zip(names, ("astronaut", "coffee", "chelsea"), strict=True):
        Image.fromarray(load_photograph(picture, 96, 80)).save(folder / name)
    return folder
