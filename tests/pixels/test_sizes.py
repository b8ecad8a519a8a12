"""Sizes from one pixel to the limits, which are judged before pixels are read."""

from __future__ import annotations

import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tests.pixels.pictures import assert_near, photo, saved
from tokcodec.errors import ImageTooLargeError, InputError
from tokcodec.pixels.image import to_rgb


def announced(width: int, height: int) -> bytes:
    """A PNG file that says it is this large, and ends before its pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"\x78\x9c")


def test_one_pixel_is_a_picture() -> None:
    stream = tokcodec.encode(np.array([[[200, 30, 90]]], np.uint8), max_bytes=100)
    assert tokcodec.decode(stream).size == (1, 1)
    assert_near(np.asarray(tokcodec.decode(stream)), np.array([[[200, 30, 90]]]), 2)


def test_a_large_file_is_refused_before_its_pixels_are_read() -> None:
    with pytest.raises(ImageTooLargeError, match="max_pixels"):
        to_rgb(announced(9000, 9000), max_pixels=80_000_000)
    with pytest.raises(InputError):  # small enough: now its pixels are missed
        to_rgb(announced(90, 90), max_pixels=8100)


def test_encode_refuses_large_pictures_unless_told_otherwise() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the limit is ours: no warning of Pillow's on top
        with pytest.raises(ImageTooLargeError):
            tokcodec.encode(announced(10_000, 10_000))
    with pytest.raises(ImageTooLargeError):
        tokcodec.encode(np.broadcast_to(np.uint8(7), (10_000, 10_000)))
    with pytest.raises(ImageTooLargeError):
        tokcodec.encode(photo(), 10, max_pixels=40)
    assert tokcodec.encode(photo(), 10, max_pixels=None) == tokcodec.encode(photo(), 10)


def test_the_limit_itself_is_allowed() -> None:
    pixels = photo().width * photo().height
    assert to_rgb(photo(), max_pixels=pixels).shape[2] == 3
    with pytest.raises(ImageTooLargeError):
        to_rgb(photo(), max_pixels=pixels - 1)


def test_the_limit_is_ours_and_pillows_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond twice its own limit Pillow would refuse the file."""
    original = photo()
    file = saved(original, "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(to_rgb(file), np.asarray(original))
    assert Image.MAX_IMAGE_PIXELS == 100
    with pytest.raises(ImageTooLargeError, match="more than 1000000000 pixels"):
        to_rgb(announced(60_000, 60_000), max_pixels=10**9)
    with pytest.raises(InputError):
        to_rgb(b"no picture")
    assert Image.MAX_IMAGE_PIXELS == 100


def test_filters_of_warnings_stay_when_many_threads_read() -> None:
    file, before = saved(photo(), "PNG"), list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(to_rgb, [file] * 200))
    assert warnings.filters == before


@pytest.mark.parametrize("shape", [(1, 65_537), (65_537, 1)])
def test_a_side_beyond_the_format_is_too_large(shape: tuple[int, int]) -> None:
    with pytest.raises(ImageTooLargeError, match="65536"):
        to_rgb(np.zeros(shape, np.uint8))
    assert to_rgb(np.zeros(shape, np.uint8)[:65_536, :65_536]).size == 3 * 65_536
