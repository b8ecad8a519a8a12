"""The way up in numpy: every low band and the picture are those of the linear decoder."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tokcodec.decoders.steps import climb, merge, orientations, stacked, up
from tokcodec.pixels import colour
from tokcodec.tokens import wavelet
from tokcodec.tokens.transform import analyse, synthesise

SIZES = [(5, 5), (5, 1), (1, 9), (6, 7), (3, 200), (200, 3), (64, 64), (97, 131)]


def bands_of(picture: np.ndarray) -> list[np.ndarray]:
    """The bands of all channels, (1, 3, h, w)."""
    found = analyse(colour.to_planes(picture, False))
    each = len(found) // 3
    return [np.stack([found[c * each + i] for c in range(3)])[None] for i in range(each)]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_low_bands_are_those_of_the_inverse_transform(
    height: int, width: int, photograph: Callable
) -> None:
    found = bands_of(photograph("coffee", width, height))
    steps = climb(found, height, width, merge)
    assert [s.level for s in reversed(steps)] == wavelet.levels(height, width)
    for skip, step in enumerate(reversed(steps), start=1):
        assert sorted(step.details) == orientations(step.level)
        assert np.array_equal(step.low, synthesise(found, height, width, skip))
    assert np.array_equal(up(steps[-1], merge), synthesise(found, height, width))


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_bands_lie_side_by_side(height: int, width: int, photograph: Callable) -> None:
    for step in climb(bands_of(photograph("rocket", width, height)), height, width, merge):
        flat = stacked(step)
        assert flat.shape == (1, 12, *step.low.shape[-2:])
        assert np.array_equal(flat[:, :3], step.low)
        for o, d in step.details.items():
            assert np.array_equal(flat[:, 3 * o : 3 * o + 3, : d.shape[-2], : d.shape[-1]], d)
        parts = [step.low, *step.details.values()]
        assert np.count_nonzero(flat) == sum(np.count_nonzero(p) for p in parts)


def test_a_picture_of_one_band_has_no_steps() -> None:
    assert climb([np.ones((1, 3, 4, 4), np.float32)], 4, 4, merge) == []
