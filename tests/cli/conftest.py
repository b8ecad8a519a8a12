"""Folders to type commands in."""

from __future__ import annotations

from pathlib import Path

import pytest

import tokcodec
from tests.cli.typed import photo
from tokcodec import registry
from tokcodec.model import Model


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a picture and a stream of it."""
    monkeypatch.chdir(tmp_path)
    photo().save("cat.png")
    (tmp_path / "cat.tkc").write_bytes(tokcodec.encode(photo(), 60))
    return tmp_path


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `in` of pictures, some of them in folders inside."""
    monkeypatch.chdir(tmp_path)
    for name, at in [("chelsea", "cat.png"), ("coffee", "a/cup.JPG"), ("rocket", "a/b/rocket.bmp")]:
        (tmp_path / "in" / at).parent.mkdir(parents=True, exist_ok=True)
        photo(name).save(tmp_path / "in" / at)
    (tmp_path / "in" / "a" / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a model that is not shipped and not yet known."""
    arrays = {k: v.copy() for k, v in tokcodec.load().model.arrays.items()}
    arrays["centroids"].flat[0] += 1
    path = tmp_path / "own.safetensors"
    path.write_bytes(Model("own", arrays).save_bytes())
    monkeypatch.setattr(registry, "_opened", {})
    return path
