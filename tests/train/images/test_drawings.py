"""Drawings: of any shape, all different, and unlike photographs."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.train.images.drawings import drawing


@pytest.mark.parametrize(("width", "height"), [(128, 128), (64, 6), (5, 40), (1, 1)])
def test_any_shape(width: int, height: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        drawn = drawing(width, height, rng)
        assert drawn.shape == (height, width, 3)
        assert drawn.dtype == np.uint8


def test_the_same_numbers_draw_the_same() -> None:
    one, two = (drawing(64, 64, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one, two)


def test_they_differ_and_have_sharp_edges_and_flat_parts() -> None:
    rng = np.random.default_rng(0)
    drawn = [drawing(64, 64, rng).astype(int) for _ in range(60)]
    assert len({d.tobytes() for d in drawn}) > 50
    steps = [np.abs(np.diff(d, axis=1)).max(-1) for d in drawn]
    assert np.mean([(s > 60).any() for s in steps]) > 0.5
    assert np.mean([(s == 0).mean() for s in steps]) > 0.5


def test_some_change_at_every_pixel_along_one_axis_or_both() -> None:
    rng = np.random.default_rng(1)
    seen = set()
    for _ in range(400):
        grey = drawing(64, 64, rng).astype(int).mean(-1)
        seen.add(tuple(bool((np.abs(np.diff(grey, axis=a)) > 8).mean() > 0.9) for a in (0, 1)))
    assert seen == {(False, False), (False, True), (True, False), (True, True)}
