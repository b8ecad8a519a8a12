"""MS-SSIM: two pictures to 0..1, from scikit-image's SSIM at up to five scales."""

from __future__ import annotations

import numpy as np
from skimage.metrics import structural_similarity

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, finest first (Wang et al.)
WINDOW = 11  # pixels of the Gaussian window of SSIM, sigma 1.5
NO_LUMINANCE = 1e6  # K1 so large that the luminance term is 1: contrast and structure are left


class MsSsim:
    """Multi-scale structural similarity (Wang, Simoncelli and Bovik, 2003) on 8-bit sRGB values.

    Contrast and structure at each scale, luminance at the coarsest only, each to the power of its
    scale's weight; terms below zero count as zero. Averages are over the windows that lie wholly
    inside the picture, the result is the mean of the three channels. The next scale is the mean of
    2x2 pixels, an odd last row or column repeated.

    Five scales need a shorter side of 161 pixels. Smaller pictures get as many as have room for one
    window, with the weights of those scales made to sum to 1: four from 81 pixels, three from 41,
    two from 21, one from 11. So compare values between pictures of one size only.
    """

    least = WINDOW

    def prepare(self, a: np.ndarray) -> list[np.ndarray]:
        return _scales(a)

    def compare(self, prepared: list[np.ndarray], b: np.ndarray) -> float:
        weights = np.array(WEIGHTS[: len(prepared)])
        terms = [
            _similarity(x, y, coarsest=number == len(prepared) - 1)
            for number, (x, y) in enumerate(zip(prepared, _scales(b), strict=True))
        ]
        powers = np.maximum(terms, 0) ** (weights / weights.sum())[:, None]
        return float(powers.prod(axis=0).mean())


def _scales(rgb: np.ndarray) -> list[np.ndarray]:
    """Float pictures (3, h, w), each half the size of the one before."""
    scales = [rgb.transpose(2, 0, 1).astype(np.float64)]
    while len(scales) < len(WEIGHTS):
        last = scales[-1]
        _, h, w = last.shape
        if -(-min(h, w) // 2) < WINDOW:
            break
        even = np.pad(last, ((0, 0), (0, h % 2), (0, w % 2)), mode="edge")
        scales.append(even.reshape(3, -(-h // 2), 2, -(-w // 2), 2).mean(axis=(2, 4)))
    return scales


def _similarity(x: np.ndarray, y: np.ndarray, coarsest: bool) -> list[float]:
    """Mean SSIM of each channel of (3, h, w); without its luminance term but at the coarsest."""
    return [
        structural_similarity(
            p,
            q,
            data_range=255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            K1=0.01 if coarsest else NO_LUMINANCE,
        )
        for p, q in zip(x, y, strict=True)
    ]
