"""Pictures of every mode that Pillow has, opaque ones."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tests.pixels.pictures import deep, photo, saved
from tokcodec.errors import InputError
from tokcodec.pixels.image import is_grey, to_rgb


@pytest.mark.parametrize("mode", ["RGB", "RGBX", "CMYK", "YCbCr", "HSV"])
def test_colour_modes_are_converted(mode: str) -> None:
    image = photo().convert(mode)
    assert np.array_equal(to_rgb(image), np.asarray(image.convert("RGB")))


def test_an_rgb_picture_is_taken_as_it_is() -> None:
    assert np.array_equal(to_rgb(photo()), np.asarray(photo()))


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_modes_give_three_equal_channels(mode: str) -> None:
    image = photo().convert(mode)
    found = to_rgb(image)
    assert np.array_equal(found, np.asarray(image.convert("L").convert("RGB")))
    assert is_grey(found)


def test_palette_without_transparency() -> None:
    image = photo().quantize(16)
    assert np.array_equal(to_rgb(image), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I"])
def test_16_bits_are_scaled_to_8(mode: str) -> None:
    image = Image.fromarray(deep())
    if mode == "I":
        image = Image.fromarray(deep().astype(np.int32))
    elif mode == "I;16B":
        image = Image.frombytes("I;16B", image.size, deep().astype(">u2").tobytes())
    assert image.mode == mode
    found = to_rgb(image)
    assert np.array_equal(found[..., 0], np.asarray(photo().convert("L")))
    assert is_grey(found)


def test_a_16_bit_png_file() -> None:
    found = to_rgb(saved(Image.fromarray(deep()), "PNG"))
    assert np.array_equal(found[..., 0], np.asarray(photo().convert("L")))


def test_a_float_picture() -> None:
    grey = np.asarray(photo().convert("L"))
    image = Image.fromarray(grey.astype(np.float32) / 255)
    assert image.mode == "F"
    assert np.array_equal(to_rgb(image)[..., 0], grey)


@pytest.mark.parametrize("value", [-1, 65536])
def test_an_integer_picture_beyond_16_bits_is_refused(value: int) -> None:
    with pytest.raises(InputError):
        to_rgb(Image.new("I", (4, 4), value))


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_float_picture_outside_0_to_1_is_refused(value: float) -> None:
    with pytest.raises(InputError):
        to_rgb(Image.new("F", (4, 4), value))


def test_r_g_b_alike_become_grey_in_the_stream() -> None:
    grey = photo().convert("L").convert("RGB")
    assert tokcodec.info(tokcodec.encode(grey, 10)).grey
    assert tokcodec.encode(grey, 10) == tokcodec.encode(photo().convert("L"), 10)
    nearly = np.array(grey)
    nearly[-1, -1, 2] ^= 1
    assert not tokcodec.info(tokcodec.encode(nearly, 10)).grey
