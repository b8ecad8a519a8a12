"""Pictures are upright, as EXIF says."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tests.pixels.pictures import photo, saved
from tokcodec.pixels.image import to_rgb

UPRIGHT = {  # from the picture as stored to the picture as seen
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a.transpose(1, 0, 2)[:, ::-1],
    7: lambda a: a.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda a: a.transpose(1, 0, 2)[::-1],
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation_is_applied(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = tmp_path / "turned.png"
    photo().save(file, exif=exif)
    wanted = UPRIGHT[orientation](np.asarray(photo()))
    assert np.array_equal(to_rgb(file), wanted)
    with Image.open(file) as image:
        assert np.array_equal(to_rgb(image), wanted)
    stream = tokcodec.encode(file, budget=10)
    assert tokcodec.decode(stream).size == (wanted.shape[1], wanted.shape[0])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_unreadable_exif_does_not_lose_the_picture(kind: str) -> None:
    file = saved(photo(), kind, exif=b"Exif\0\0no TIFF header here")
    with Image.open(io.BytesIO(file)) as image:
        wanted = np.asarray(image.convert("RGB"))
    assert np.array_equal(to_rgb(file), wanted)
