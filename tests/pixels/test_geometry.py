"""A picture fitted into a frame has the size that Pillow's thumbnail gives it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import tokcodec
from tokcodec.pixels.geometry import fit

sides = st.integers(1, 400)


def thumbnail(size: tuple[int, int], frame: tuple[int, int]) -> tuple[int, int]:
    image = Image.new("1", size)
    image.thumbnail(frame, Image.Resampling.NEAREST)
    return image.size


@settings(deadline=None, max_examples=400)
@given(st.tuples(sides, sides), st.tuples(sides, sides))
def test_fit_is_thumbnail(size: tuple[int, int], frame: tuple[int, int]) -> None:
    assert fit(size, frame) == thumbnail(size, frame)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (256, 256), (255, 257), (399, 7)])
def test_fit_is_thumbnail_in_every_square(size: tuple[int, int]) -> None:
    for side in range(1, 402, 3):
        assert fit(size, (side, side)) == thumbnail(size, (side, side))


@pytest.mark.parametrize("size", [(4032, 3024), (3024, 4032), (1920, 1080), (6000, 17)])
@pytest.mark.parametrize("frame", [(1, 1), (64, 64), (256, 256), (320, 200), (1000, 5000)])
def test_fit_is_thumbnail_for_large_pictures(size: tuple[int, int], frame: tuple[int, int]) -> None:
    assert fit(size, frame) == thumbnail(size, frame)


def test_a_decoded_picture_has_that_size() -> None:
    stream = tokcodec.encode(Image.new("RGB", (131, 77), (9, 99, 200)), 8)
    for frame in [(131, 77), (500, 500), (64, 64), (33, 50), (1, 1), (130, 400)]:
        assert tokcodec.decode(stream, frame).size == thumbnail((131, 77), frame)
