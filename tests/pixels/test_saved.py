"""Pictures to image files: as good as their formats can."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, features

from tokcodec.errors import ArgumentError, OutputError
from tokcodec.pixels.saved import holds_colour, saved
from tokcodec.psnr import psnr


@pytest.mark.parametrize(
    ("suffix", "least"),
    [(".png", np.inf), (".webp", np.inf), (".tif", np.inf), (".jpg", 37), (".avif", 37)],
)
def test_nothing_is_lost_that_can_be_seen(suffix: str, least: float, astronaut: np.ndarray) -> None:
    if suffix == ".avif" and not features.check("avif"):
        pytest.skip("this Pillow writes no AVIF")
    found = Image.open(io.BytesIO(saved(Image.fromarray(astronaut), suffix))).convert("RGB")
    assert psnr(np.asarray(found), astronaut) >= least


def test_formats_that_hold_no_such_picture(astronaut: np.ndarray) -> None:
    with pytest.raises(ArgumentError, match="nothing"):
        saved(Image.fromarray(astronaut), ".nothing")
    with pytest.raises(OutputError, match="webp"):
        saved(Image.new("RGB", (17_000, 1)), ".webp")
    assert holds_colour(".png")
    assert not holds_colour(".xbm")
