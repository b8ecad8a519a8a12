"""Noise: one endless sheet, for ever the same."""

from __future__ import annotations

import numpy as np

from tokcodec.decoders.noise import NOISE, TILE, noise


def test_noise_repeats_and_is_cut_at_its_place() -> None:
    sheet = noise(300, 270)
    assert (sheet.shape, sheet.dtype) == ((NOISE, 300, 270), np.float32)
    assert np.array_equal(sheet[:, TILE:], noise(300 - TILE, 270))
    assert np.array_equal(sheet[:, 17:40, 5:], noise(23, 265, (17, 5)))
    assert abs(sheet.mean()) < 0.01
    assert abs(sheet.std() - 1) < 0.01


def test_trained_decoders_know_these_numbers() -> None:
    assert np.allclose(noise(1, 3)[0, 0], [1.6243454, -0.6117564, -0.5281718], atol=1e-6)
