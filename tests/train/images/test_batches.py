"""Photographs to batches of a few sizes: what is taken, what is left out, what is told."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tokcodec.errors import InputError
from tokcodec.train.images import batches
from tokcodec.train.images.batches import SHAPES


@pytest.fixture
def folder(tmp_path: Path, photograph: Callable[..., np.ndarray]) -> Path:
    """Two photographs, a small one, a text, and a broken one."""
    for name, width, height in (("coffee", 300, 260), ("chelsea", 150, 130), ("camera", 60, 60)):
        Image.fromarray(photograph(name, width, height)).save(tmp_path / f"{name}.png")
    (tmp_path / "notes.txt").write_text("taken on a Tuesday")
    whole = (tmp_path / "coffee.png").read_bytes()
    (tmp_path / "broken.png").write_bytes(whole[: len(whole) // 2])
    return tmp_path


def test_what_holds_no_picture_is_left_out(folder: Path) -> None:
    found = batches.batches([folder], 8, 0)
    assert sum(len(batch) for batch in found) == 2
    assert all(batch.shape[1:3] in SHAPES and batch.dtype == np.uint8 for batch in found)


def test_photographs_are_scaled_down(tmp_path: Path) -> None:
    """Stripes of single pixels, as no camera's lens leaves them, do not come through."""
    stripes = np.zeros((96, 144, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "large.png")
    Image.fromarray(stripes[:90]).save(tmp_path / "too-small.png")
    (found,) = batches.batches([tmp_path], 8, 0)
    assert found.shape == (1, 64, 96, 3)
    assert found[0, :, 8:-8].std() < 20


def test_no_more_are_read_than_are_wanted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    real = batches.photograph
    monkeypatch.setattr(batches, "photograph", lambda place: read.append(place) or real(place))
    monkeypatch.setattr(batches, "SHAPES", {(64, 96): 1.0})
    assert len(batches.batches([folder, folder, folder], 1, 0)[0]) == 1
    assert len(read) < 3 * len(list(folder.iterdir()))


def test_a_tar_file_gives_what_its_folder_does(folder: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "all.tar", "w") as tar:
        for path in sorted(folder.glob("*.png")):
            tar.add(path, path.name)
    packed = batches.batches([tmp_path / "all.tar"], 8, 3)
    (tmp_path / "all.tar").unlink()
    for one, other in zip(packed, batches.batches([folder], 8, 3), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("name", ["nowhere", "nowhere.tar", "no.tar", "cut.tar", "zipped.tar"])
def test_what_is_not_there_or_no_tar_file_is_told(folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "no.tar").write_bytes(b"no tar file" * 100)
    with tarfile.open(tmp_path / "zipped.tar", "w:gz") as tar:
        tar.add(folder / "coffee.png")
    with tarfile.open(tmp_path / "whole.tar", "w") as tar:
        tar.add(folder / "coffee.png")
    (tmp_path / "cut.tar").write_bytes((tmp_path / "whole.tar").read_bytes()[:5000])
    with pytest.raises(InputError, match=name):
        batches.batches([tmp_path / name], 8, 0)
