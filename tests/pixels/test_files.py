"""Files of pictures: by path, as bytes, open; missing, cut off and damaged."""

from __future__ import annotations

import contextlib
import io
import random
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from tests.pixels.pictures import photo, saved
from tokcodec.errors import InputError, TokCodecError
from tokcodec.pixels.image import to_rgb

DAMAGED_KINDS = ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "ICO", "JPEG2000", "DDS", "AVIF"]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tiff", ".ppm", ".tga"])
def test_files_by_path(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"a picture{suffix}"
    photo().save(file)
    assert np.array_equal(to_rgb(file), np.asarray(photo()))
    assert np.array_equal(to_rgb(str(file)), np.asarray(photo()))


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_files_as_bytes(kind: str, form: type) -> None:
    file = saved(photo(), kind)
    with Image.open(io.BytesIO(file)) as image:
        assert np.array_equal(to_rgb(form(file)), np.asarray(image.convert("RGB")))


def test_an_open_file_is_as_good_as_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    photo().save(path)
    with path.open("rb") as file:
        assert np.array_equal(to_rgb(file), to_rgb(path))
        assert not file.closed
    with (tmp_path / "text").open("w+b") as file, pytest.raises(InputError, match="cannot be read"):
        to_rgb(file)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
def test_an_animation_gives_its_first_frame(kind: str) -> None:
    frames = [Image.new("RGB", (12, 8), colour) for colour in ("red", "lime", "blue")]
    exact = {"lossless": True} if kind == "WEBP" else {}
    file = saved(frames[0], kind, save_all=True, append_images=frames[1:], **exact)
    with Image.open(io.BytesIO(file)) as image:
        assert image.n_frames == 3
    assert (to_rgb(file) == (255, 0, 0)).all()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.png does not exist"):
        to_rgb(tmp_path / "nowhere.png")


@pytest.mark.parametrize(
    "contents", [b"", b"\0", b"not a picture", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
)
def test_unreadable_files_are_refused(contents: bytes, tmp_path: Path) -> None:
    file = tmp_path / "broken.png"
    file.write_bytes(contents)
    with pytest.raises(InputError, match=r"broken\.png cannot be read"):
        to_rgb(file)
    with pytest.raises(InputError, match="cannot be read"):
        to_rgb(contents)


def test_a_folder_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read") as told:
        to_rgb(tmp_path)
    assert str(told.value).count(tmp_path.name) == 1


def test_an_empty_path_is_told_as_one() -> None:
    with pytest.raises(InputError, match="path of the picture is empty"):
        to_rgb("")


@pytest.mark.parametrize("path", ["", "a\0b", "a" * 5000])
def test_impossible_paths_are_refused(path: str) -> None:
    with pytest.raises(InputError):
        to_rgb(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_truncated_file_is_refused(kind: str) -> None:
    file = saved(photo(), kind)
    with pytest.raises(InputError, match="read"):
        to_rgb(file[: len(file) // 2])


def test_a_truncated_file_that_the_caller_opened_is_refused() -> None:
    with pytest.raises(InputError, match="truncated"):
        to_rgb(Image.open(io.BytesIO(saved(photo(), "JPEG")[:-200])))


@pytest.mark.parametrize("kind", DAMAGED_KINDS)
def test_damaged_files_give_a_picture_or_our_own_error(kind: str) -> None:
    if (kind == "AVIF" and not features.check("avif")) or (
        kind == "JPEG2000" and not features.check("jpg_2000")
    ):
        pytest.skip(f"Pillow without {kind}")
    file, rng = saved(photo(16), kind), random.Random(kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's about EXIF and the like
        for _ in range(200):
            damaged = bytearray(file)
            for _ in range(rng.choice((1, 2, 5))):
                at = rng.randrange(min(len(file), 200))
                damaged[at] = rng.choice((0, 1, 127, 255, rng.randrange(256)))
            if rng.random() < 0.3:
                damaged = damaged[: rng.randrange(len(damaged))]
            with contextlib.suppress(TokCodecError):
                assert to_rgb(bytes(damaged), max_pixels=100_000).ndim == 3
