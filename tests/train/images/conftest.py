"""Photographs to train on, in a folder and in a tar file."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.train.images.named import file_names, saved

NAMES = ("astronaut", "chelsea", "coffee", "rocket", "retina")


@pytest.fixture
def folder(tmp_path: Path, photograph: Callable) -> Path:
    """Five dark photographs to train on, two bright ones whose names are held out."""
    path = tmp_path / "photographs"
    (path / "more").mkdir(parents=True)
    for i, name in enumerate(file_names(False, 5)):
        (path / name).write_bytes(saved(photograph(NAMES[i], 90 + i, 80) // 4))
    for i, name in enumerate(file_names(True, 2)):
        (path / name).write_bytes(saved(photograph(NAMES[i], 100 - 20 * i, 80) // 4 + 192))
    return path


@pytest.fixture
def tar(folder: Path) -> Path:
    """The same in a tar file."""
    path = folder.with_suffix(".tar")
    with tarfile.open(path, "w") as f:
        for p in sorted(folder.rglob("*"), reverse=True):
            f.add(p, p.relative_to(folder).as_posix(), recursive=False)
    return path
