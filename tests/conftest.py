"""Photographs that come with scikit-image, at sizes that keep the tests quick."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from copy import copy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skimage.data import data_dir  # isort: skip

NAMES = ("astronaut", "chelsea", "coffee", "rocket", "motorcycle_left", "camera", "retina")


def load_photograph(name: str, width: int, height: int) -> np.ndarray:
    path = next(p for p in Path(data_dir).iterdir() if p.stem == name)
    image = Image.open(path).convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(image)


@pytest.fixture
def own_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers with Pillow is there for it alone."""
    Image.init()  # Pillow's own kinds are registered when they are first needed
    for kinds in ("ID", "OPEN", "SAVE", "EXTENSION", "MIME"):
        monkeypatch.setattr(Image, kinds, copy(getattr(Image, kinds)))


@pytest.fixture(scope="session")
def photograph() -> Callable[[str, int, int], np.ndarray]:
    """photograph(name, width, height): uint8 (height, width, 3)."""
    return load_photograph


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    return load_photograph("astronaut", 96, 80)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small photographs, one of them held out by its name."""
    folder = tmp_path_factory.mktemp("photographs")
    held_out = next(n for n in map("{}.png".format, range(999)) if zlib.crc32(n.encode()) % 64 == 0)
    names = [held_out, "coffee.png", "chelsea.png"]
    for name, picture in zip(names, ("astronaut", "coffee", "chelsea"), strict=True):
        Image.fromarray(load_photograph(picture, 96, 80)).save(folder / name)
    return folder
