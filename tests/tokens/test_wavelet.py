"""The transform: invertible, non-expansive, bounded, and the 9/7 filters."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens import wavelet
from tokcodec.tokens.layout import bands
from tokcodec.tokens.transform import analyse, synthesise


@pytest.mark.parametrize("n", [*range(2, 20), 31, 64, 255])
def test_split_and_merge_are_inverse(n):
    x = np.random.default_rng(n).normal(0, 100, (2, n, 3)).astype(np.float32)
    low, high = wavelet.split(x)
    assert (low.shape[1], high.shape[1]) == ((n + 1) // 2, n // 2)
    assert np.abs(wavelet.merge(low, high) - x).max() < 1e-3


@pytest.mark.parametrize("n", [2, 5, 8, 33])
def test_flat_stays_flat(n):
    low, high = wavelet.split(np.full((n, 4), 7.0, np.float32))
    assert np.allclose(low, 7, atol=1e-5)
    assert np.allclose(high, 0, atol=1e-5)


def test_lowpass_is_the_nine_tap_filter_of_cohen_daubechies_feauveau():
    impulses = np.eye(64, dtype=np.float32)
    low, _ = wavelet.split(impulses)
    taps = low[16, 32 - 4 : 32 + 5]
    expected = [0.026748757, -0.016864118, -0.078223266, 0.266864118, 0.602949018]
    assert np.allclose(taps, expected + expected[-2::-1], atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (5, 1), (30, 400), (77, 50), (64, 64)])
def test_picture_there_and_back(shape):
    planes = np.random.default_rng(0).normal(0, 60, (3, *shape)).astype(np.float32)
    found = analyse(planes)
    layout = bands(*shape, 3)
    assert [c.shape for c in found] == [(b.height, b.width) for b in layout]
    assert sum(c.size for c in found) == planes.size
    each = len(found) // 3
    for channel in range(3):
        back = synthesise(found[channel * each : (channel + 1) * each], *shape)
        assert np.abs(back - planes[channel]).max() < 2e-3


def test_no_picture_reaches_the_top():
    """Largest sum of absolute filter taps, over all places, levels and small sizes."""
    largest = 1.0
    for n in [*range(5, 40), 63, 64, 65, 100, 255, 256]:
        rows = np.eye(n, dtype=np.float32)
        while rows.shape[0] > wavelet.COARSEST:
            rows, high = wavelet.split(rows)
            largest = max(largest, np.abs(high).sum(1).max(), np.abs(rows).sum(1).max())
    reach = np.array([127.5 * 3**0.5, 255 / 2**0.5, 510 / 6**0.5]) * largest**2
    assert (reach < shipped(DEFAULT).arrays["tops"]).all()


def test_coarse_levels_of_the_inverse_are_the_low_bands():
    plane = np.random.default_rng(1).normal(0, 60, (1, 50, 70)).astype(np.float32)
    found = analyse(plane)
    low, _ = wavelet.split(plane[0].T.copy())
    low, _ = wavelet.split(low.T.copy())
    assert np.abs(synthesise(found, 50, 70, skip=1) - low).max() < 1e-3
