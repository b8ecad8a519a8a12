"""Slopes and norms of the basis functions, against the inverse transform itself."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.effort.adjoint import norms, project
from tokcodec.tokens.transform import analyse, synthesise

SHAPES = [(1, 1), (2, 9), (37, 50), (64, 64), (5, 133), (6, 5)]


@pytest.mark.parametrize("shape", SHAPES)
def test_inner_products_are_those_of_the_inverse(shape):
    rng = np.random.default_rng(3)
    planes = rng.normal(size=(2, *shape)).astype(np.float32)
    bands = [rng.normal(size=b.shape).astype(np.float32) for b in analyse(planes[:1])]
    drawn = synthesise(bands, *shape)
    slopes = project(planes)
    for plane in (0, 1):
        expected = float((drawn * planes[plane]).sum(dtype=np.float64))
        found = sum(
            float((a * b[plane]).sum(dtype=np.float64)) for a, b in zip(bands, slopes, strict=True)
        )
        assert found == pytest.approx(expected, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("shape", [(64, 64), (37, 50), (3, 300), (1, 1)])
def test_norms_are_those_of_the_inverse(shape):
    bands = analyse(np.zeros((1, *shape), np.float32))
    for number, (band, norm) in enumerate(zip(bands, norms(*shape), strict=True)):
        assert norm.shape == band.shape[-2:]
        for y, x in ((0, 0), (-1, -1), (norm.shape[0] // 3, norm.shape[1] // 2)):
            one = [np.zeros(b.shape, np.float32) for b in bands]
            one[number][..., y, x] = 1
            squares = np.square(synthesise(one, *shape)).sum(dtype=np.float64)
            assert norm[y, x] == pytest.approx(float(squares), rel=1e-3)
