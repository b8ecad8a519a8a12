"""What is transparent lies on the background, whatever says so."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from tests.pixels.pictures import assert_near, deep, laid, photo, saved, see_through
from tokcodec.errors import ArgumentError, InputError
from tokcodec.pixels.image import to_rgb


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_alpha_is_seen_over_white(mode: str) -> None:
    image = see_through() if mode != "PA" else photo().quantize(16).convert("PA")
    image = image.convert(mode)
    assert_near(to_rgb(image), laid(image), 1)


@pytest.mark.parametrize(("mode", "plain"), [("La", "LA"), ("RGBa", "RGBA")])
def test_premultiplied_alpha_is_seen_over_white(mode: str, plain: str) -> None:
    image = see_through(plain)
    assert_near(to_rgb(image.convert(mode)), laid(image), 2)


@pytest.mark.parametrize("background", [(0, 0, 0), (10, 200, 30), [255, 0, 255]])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_over_a_background(mode: str, background: tuple[int, int, int]) -> None:
    image = see_through(mode)
    assert_near(to_rgb(image, background), laid(image, background), 1)


def test_the_first_column_is_all_background_and_the_last_all_picture() -> None:
    found = to_rgb(see_through(), (1, 2, 3))
    assert (found[:, 0] == (1, 2, 3)).all()
    assert np.array_equal(found[:, -1], np.asarray(photo())[:, -1])


def test_opaque_alpha_changes_nothing() -> None:
    assert np.array_equal(to_rgb(photo().convert("RGBA"), (9, 9, 9)), np.asarray(photo()))


def test_palette_with_one_transparent_colour() -> None:
    image = photo().quantize(8)
    image.info["transparency"] = 3
    holes = np.asarray(image) == 3
    found = to_rgb(image, (1, 2, 3))
    assert holes.any()
    assert (found[holes] == (1, 2, 3)).all()
    assert np.array_equal(found[~holes], np.asarray(image.convert("RGB"))[~holes])


def test_palette_with_an_alpha_for_each_colour() -> None:
    image = photo().quantize(8)
    image.info["transparency"] = bytes(range(0, 256, 32))
    assert_near(to_rgb(image, (0, 0, 255)), laid(image, (0, 0, 255)), 1)
    assert_near(to_rgb(saved(image, "PNG"), (0, 0, 255)), laid(image, (0, 0, 255)), 1)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_png_with_one_transparent_colour(mode: str) -> None:
    image = photo().convert(mode)
    colour = image.getpixel((5, 5))
    found = to_rgb(saved(image, "PNG", transparency=colour), (1, 2, 3))
    pixels = np.asarray(image).reshape(image.height, image.width, -1)
    holes = (pixels == colour).all(-1)
    assert holes[5, 5]
    assert (found[holes] == (1, 2, 3)).all()
    assert np.array_equal(found[~holes], np.asarray(image.convert("RGB"))[~holes])


def test_png_of_16_bits_with_one_transparent_value() -> None:
    values = deep()
    found = to_rgb(saved(Image.fromarray(values), "PNG", transparency=int(values[5, 5])), (1, 2, 3))
    holes = values == values[5, 5]
    assert (found[holes] == (1, 2, 3)).all()
    assert np.array_equal(found[~holes], to_rgb(values)[~holes])


@pytest.mark.parametrize("mode", ["RGB", "L", "1"])
def test_transparency_that_does_not_fit_the_mode(mode: str) -> None:
    image = photo().convert(mode)
    image.info["transparency"] = b"\x00\xff"  # which palettes have
    with pytest.raises(InputError, match="cannot be read"):
        to_rgb(image)


def test_premultiplied_grey_with_transparency() -> None:
    image = photo().convert("L").convert("LA").convert("La")
    plain = to_rgb(image)
    image.info["transparency"] = 7
    assert np.array_equal(to_rgb(image), plain)


@pytest.mark.parametrize(
    "background",
    [(1, 2), (1, 2, 3, 4), (0, 0, 256), (-1, 0, 0), (0.5, 0, 0), "red", None, 7, np.array(5)],
)
def test_a_background_that_is_no_colour_is_refused(background: object) -> None:
    with pytest.raises(ArgumentError, match="background"):
        to_rgb(photo(), background)  # type: ignore[arg-type]
