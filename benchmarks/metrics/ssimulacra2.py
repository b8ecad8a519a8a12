"""SSIMULACRA2: two pictures to a score of at most 100, after the reference program of libjxl."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import correlate1d

# Weights of the published metric (version 2.1), to ten digits: a row for each channel (X, Y, B) and
# scale (1:1 to 1:32); columns: mean, then fourth-power mean, of structure lost, edges added, lost.
WEIGHTS = np.array(
    [
        [0.0, 0.0007376606707, 0.0, 0.0, 0.0007793481683, 0.0],
        [0.0, 0.000437115573, 0.0, 1.104172643, 0.0006628483413, 0.0001523163278],
        [0.0, 0.001640643746, 0.0, 1.842245552, 11.4411726, 0.0],
        [0.0007989109436, 0.0001768164381, 0.0, 1.878759498, 10.94906991, 0.0],
        [0.0007289346992, 0.9677937081, 0.0, 0.0001400342429, 0.9981766978, 0.0003194975593],
        [0.0004550992114, 0.0, 0.0, 0.001364876616, 0.0, 0.0],
        [0.0, 0.0, 0.0, 7.466890328, 0.0, 17.44583398],
        [0.0006235601634, 0.0, 0.0, 6.683678146, 0.0003772440798, 1.027889938],
        [225.205153, 0.0, 0.0, 19.21323819, 0.001140152459, 0.001237755636],
        [176.393176, 0.0, 0.0, 24.43301, 0.2852080261, 0.0004485436924],
        [0.0, 0.0, 0.0, 34.77906344, 44.83562533, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0008680556573, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0005313191874, 0.0, 0.0001653381416, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0004179171803, 0.001729082823, 0.0],
        [0.002082700585, 0.0, 0.0, 8.826982765, 23.19243344, 0.0],
        [95.10804988, 0.9863978034, 0.9834382792, 0.001228640505, 171.2667256, 0.9807858872],
        [0.0, 0.0, 0.0, 0.0005130064589, 0.0, 0.0001085405786],
    ]
)  # fmt: skip

SCALES = 6
MIN_SIDE = 8  # pixels: a scale below that is the last
C2 = 0.0009
# The reference's Gaussian of sigma 1.5, a sum of three cosines over nine pixels (Charalampidis,
# 2016), as the response to one pixel.
HALF_KERNEL = [0.264621105, 0.212928592, 0.109335373, 0.036011115, 0.009414368]
KERNEL = np.array(HALF_KERNEL[:0:-1] + HALF_KERNEL)

# Linear sRGB to the cone responses of JPEG XL's XYB, before the cube root.
CONES = np.array(
    [
        [0.30, 0.622, 0.078],
        [0.23, 0.692, 0.078],
        [0.24342268924547819, 0.20476744424496821, 0.5518098665095536],
    ]
)
BIAS = 0.0037930732552754493

SRGB = np.arange(256) / 255
LINEAR = np.where(SRGB <= 0.04045, SRGB / 12.92, ((SRGB + 0.055) / 1.055) ** 2.4)


class Scale(NamedTuple):
    """A picture at one scale; arrays (3, h, w)."""

    xyb: np.ndarray
    mean: np.ndarray  # of xyb, in Gaussian windows
    variance: np.ndarray


class Ssimulacra2:
    """SSIMULACRA 2.1 (Sneyers, Cloudinary, 2023): 100 for equal pictures, about 90 where nobody
    sees a difference, 70 high, 50 medium, 30 low quality; negative where the picture is far off.

    Own code, since the Python package of that name blurs across the left and right border otherwise
    than the reference and stops a scale early, which gives wrong scores below 225 pixels. Needs a
    shorter side of 113 pixels: below that the reference has fewer than six scales, and its weights
    then meet maps they were not fitted to.
    """

    least = 113

    def prepare(self, a: np.ndarray) -> list[Scale]:
        return [Scale(xyb, *_moments(xyb)) for xyb in _pyramid(a)]

    def compare(self, prepared: list[Scale], b: np.ndarray) -> float:
        norms = np.stack([_norms(x, y) for x, y in zip(prepared, _pyramid(b), strict=True)], axis=1)
        total = norms.ravel() @ WEIGHTS.ravel()[: norms.size] * 0.9562382616834844
        cubic = (2.326765642916932, -0.020884521182843837, 6.248496625763138e-05)
        error = sum(c * total ** (i + 1) for i, c in enumerate(cubic))
        return 100 - 10 * max(float(error), 0.0) ** 0.6276336467831387


def _pyramid(rgb: np.ndarray) -> list[np.ndarray]:
    """XYB pictures (3, h, w), scaled to about 0..1, each half the size of the one before."""
    linear = LINEAR[rgb].transpose(2, 0, 1)
    found = [_xyb(linear)]
    while len(found) < SCALES and min(linear.shape[1:]) >= MIN_SIDE:
        linear = _half(linear)
        found.append(_xyb(linear))
    return found


def _half(x: np.ndarray) -> np.ndarray:
    """Means of 2x2 pixels of (3, h, w); an odd last row or column is repeated."""
    _, h, w = x.shape
    even = np.pad(x, ((0, 0), (0, h % 2), (0, w % 2)), mode="edge")
    return even.reshape(3, -(-h // 2), 2, -(-w // 2), 2).mean(axis=(2, 4))


def _xyb(linear: np.ndarray) -> np.ndarray:
    cones = np.cbrt(np.tensordot(CONES, linear, axes=1) + BIAS) - np.cbrt(BIAS)
    red, green, blue = cones
    x, y = (red - green) / 2, (red + green) / 2
    return np.stack([14 * x + 0.42, y + 0.01, blue - y + 0.55])


def _blur(x: np.ndarray) -> np.ndarray:
    """Gaussian means; zero outside of the picture, as in the reference."""
    rows = correlate1d(x, KERNEL, axis=-1, mode="constant")
    return correlate1d(rows, KERNEL, axis=-2, mode="constant")


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = _blur(x)
    return mean, _blur(x * x) - mean * mean


def _norms(a: Scale, y: np.ndarray) -> np.ndarray:
    """(3, 6): of each channel the mean and the fourth-power mean of three maps of error."""
    mean, variance = _moments(y)
    covariance = _blur(a.xyb * y) - a.mean * mean
    structure = (2 * covariance + C2) / (a.variance + variance + C2)
    similarity = (1 - (a.mean - mean) ** 2) * structure
    edges = (1 + np.abs(y - mean)) / (1 + np.abs(a.xyb - a.mean)) - 1
    maps = [np.maximum(m, 0) for m in (1 - similarity, edges, -edges)]
    means = [m.mean(axis=(1, 2)) for m in maps]
    fourths = [np.square(m * m).mean(axis=(1, 2)) ** 0.25 for m in maps]
    return np.stack(means + fourths, axis=1)
