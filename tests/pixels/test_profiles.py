"""Colour profiles are converted to sRGB; unusable ones are as good as none."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import ImageCms

from tests.pixels.pictures import assert_near, photo, saved, see_through
from tests.pixels.profiles import SRGB_PRIMARIES, profile
from tokcodec.pixels.image import is_grey, to_rgb


def from_linear(array: np.ndarray) -> np.ndarray:
    """sRGB's own formula (IEC 61966-2-1)."""
    x = array / 255
    return 255 * np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def test_a_linear_rgb_profile_is_converted_to_srgb() -> None:
    file = saved(photo(), "PNG", icc_profile=profile(b"RGB ", SRGB_PRIMARIES))
    wanted = from_linear(np.asarray(photo()))
    assert np.abs(wanted - np.asarray(photo())).max() > 50
    assert_near(to_rgb(file), wanted, 3)


def test_an_rgb_profile_with_red_and_blue_exchanged_is_converted_to_srgb() -> None:
    swapped = {b"rXYZ": SRGB_PRIMARIES[b"bXYZ"], b"bXYZ": SRGB_PRIMARIES[b"rXYZ"]}
    file = saved(photo(), "PNG", icc_profile=profile(b"RGB ", SRGB_PRIMARIES | swapped))
    assert_near(to_rgb(file), from_linear(np.asarray(photo()))[..., ::-1], 3)


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_a_grey_profile_is_converted_and_the_picture_stays_grey(mode: str) -> None:
    image = photo().convert(mode)
    found = to_rgb(saved(image, "PNG", icc_profile=profile(b"GRAY", {})))
    grey = np.asarray(photo().convert("L"))
    assert_near(found, from_linear(np.stack([grey] * 3, -1)), 3)
    assert is_grey(found)


def test_a_profile_is_used_below_alpha_too() -> None:
    image = see_through()
    found = to_rgb(saved(image, "PNG", icc_profile=profile(b"RGB ", SRGB_PRIMARIES)), (0, 0, 0))
    rgba = np.asarray(image).astype(float)
    wanted = from_linear(rgba[..., :3]) * rgba[..., 3:] / 255
    assert_near(found, wanted, 3)


def test_a_lab_picture_is_converted_through_its_profile() -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(photo(), srgb, lab, outputMode="LAB")
    assert image is not None
    image.info["icc_profile"] = ImageCms.ImageCmsProfile(lab).tobytes()
    assert_near(to_rgb(image), np.asarray(photo()), 8)


def test_an_srgb_profile_leaves_the_pixels_unchanged() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    found = to_rgb(saved(photo(), "PNG", icc_profile=srgb))
    assert np.array_equal(found, np.asarray(photo()))


@pytest.mark.parametrize(
    "broken",
    [
        b"no profile at all",
        profile(b"RGB ", SRGB_PRIMARIES)[:140],
        profile(b"GRAY", {}),
        bytes(200),
    ],
    ids=["text", "cut off", "of a grey picture", "zeros"],
)
def test_an_unusable_profile_is_ignored(broken: bytes) -> None:
    found = to_rgb(saved(photo(), "PNG", icc_profile=broken))
    assert np.array_equal(found, np.asarray(photo()))
