"""What is shown of a picture that overshoots: the error of the ends, and no slope beyond them."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.effort.clipping import missing
from tokcodec.pixels import colour
from tokcodec.psnr import squared_error


@pytest.fixture(scope="module", params=[False, True], ids=["colour", "grey"])
def scene(request, photograph):
    """A picture, its planes, and the planes drawn with twice its contrast and some noise."""
    rgb = photograph("astronaut", 60, 44)
    if request.param:
        rgb = rgb[..., 1:2].repeat(3, -1)
    planes = colour.to_planes(rgb, request.param)
    noise = np.random.default_rng(4).normal(0, 20, planes.shape)
    return rgb, planes, (2 * planes + noise).astype(np.float32)


def test_the_error_is_that_of_the_picture_shown(scene):
    rgb, planes, drawn = scene
    shown = colour.to_rgb(list(drawn))
    assert np.isin(shown, (0, 255)).mean() > 0.1
    assert missing(planes, drawn)[1] == pytest.approx(squared_error(shown, rgb), rel=1e-3)


def test_slopes_are_those_of_the_picture_shown(scene):
    _, planes, drawn = scene
    left, error = missing(planes, drawn)
    rng = np.random.default_rng(9)
    for _ in range(10):
        step = rng.normal(0, 0.02, drawn.shape).astype(np.float32)
        change = (missing(planes, drawn + step)[1] - missing(planes, drawn - step)[1]) / 2
        slope = -2 * float((left * step).sum(dtype=np.float64))
        spread = 2 * float(np.linalg.norm(left) * np.linalg.norm(step)) / np.sqrt(step.size)
        assert change == pytest.approx(slope, abs=0.1 * spread)
    assert error > 0


def test_what_is_within_the_range_is_left_alone(scene):
    _, planes, drawn = scene
    left, error = missing(planes, 0.3 * drawn)
    assert np.array_equal(left, planes - 0.3 * drawn)
    assert error == pytest.approx(float(np.square(left).sum(dtype=np.float64)))
