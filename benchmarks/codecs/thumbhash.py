"""ThumbHash: a placeholder of some 24 bytes, without any setting.

Written from the facts of the published format (evanw.github.io/thumbhash), since the packages for
Python are wrong (`thumbhash`) or tied to an old Pillow (`thumbhash-python`).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import floor

import numpy as np
from PIL import Image

from benchmarks.codecs import Settings

SIDE = 7  # luma terms along the longer side
CHROMA = 3
BOOST = 1.25  # chroma terms are drawn stronger than they were


class ThumbHash:
    """Cosine terms of luma L and chroma P (yellow to blue) and Q (red to green), a triangle of low
    frequencies each: the mean in 6 bits, the others in 4.
    """

    name = "thumbhash"
    version = "own port"
    searched = True

    def encode(self, image: Image.Image, settings: Settings) -> bytes:
        return encode(np.asarray(image))

    def decode(self, data: bytes, size: tuple[int, int]) -> Image.Image:
        return Image.fromarray(decode(data, size))

    def fitting(
        self, image: Image.Image, max_bytes: int, full_size: bool = False
    ) -> Iterator[tuple[Settings, bytes]]:
        data = self.encode(image, {})
        if len(data) <= max_bytes:
            yield {}, data

    def smallest(self, image: Image.Image, full_size: bool = False) -> int:
        return len(self.encode(image, {}))


def encode(rgb: np.ndarray) -> bytes:
    """uint8 (H, W, 3) to a hash. Terms are taken from all pixels; the original scales to 100."""
    height, width = rgb.shape[:2]
    nx, ny = (max(1, _round(SIDE * side / max(width, height))) for side in (width, height))
    r, g, b = np.moveaxis(rgb / 255.0, 2, 0)
    luma = _terms((r + g + b) / 3, max(CHROMA, nx), max(CHROMA, ny))
    yellow = _terms((r + g) / 2 - b, CHROMA, CHROMA)
    red = _terms(r - g, CHROMA, CHROMA)
    scales = [float(np.abs(t[1:]).max(initial=0)) for t in (luma, yellow, red)]
    landscape = width > height
    head = (
        _round(63 * luma[0])
        | _round(31.5 + 31.5 * yellow[0]) << 6
        | _round(31.5 + 31.5 * red[0]) << 12
        | _round(31 * scales[0]) << 18
    )  # bit 23: alpha, none here
    more = (
        (ny if landscape else nx)
        | _round(63 * scales[1]) << 3
        | _round(63 * scales[2]) << 9
        | landscape << 15
    )
    digits = [
        _round(15 * (0.5 + 0.5 * value / scale)) if scale else 0
        for terms, scale in zip((luma, yellow, red), scales, strict=True)
        for value in terms[1:]
    ]
    digits += [0] * (len(digits) % 2)
    pairs = zip(digits[::2], digits[1::2], strict=True)  # the first of two in the low half
    return (
        head.to_bytes(3, "little")
        + more.to_bytes(2, "little")
        + bytes(low | high << 4 for low, high in pairs)
    )


def decode(data: bytes, size: tuple[int, int]) -> np.ndarray:
    """A hash without alpha to uint8 (height, width, 3) of `size` (width, height).

    The terms are drawn at that size; the original draws 32 pixels and leaves enlarging to the
    viewer.
    """
    head, more = int.from_bytes(data[:3], "little"), int.from_bytes(data[3:5], "little")
    landscape, short = more >> 15, max(CHROMA, more & 7)
    nx, ny = (SIDE, short) if landscape else (short, SIDE)
    values = np.array([half / 7.5 - 1 for byte in data[5:] for half in (byte & 15, byte >> 4)])
    chroma = len(_places(CHROMA, CHROMA)) - 1
    count = len(_places(nx, ny)) - 1
    means = (head & 63) / 63, (head >> 6 & 63) / 31.5 - 1, (head >> 12 & 63) / 31.5 - 1
    scales = (head >> 18 & 31) / 31, BOOST * (more >> 3 & 63) / 63, BOOST * (more >> 9 & 63) / 63
    cuts = np.split(values, (count, count + chroma, count + 2 * chroma))
    luma, yellow, red = (
        mean + _drawn(scale * part, *shape, size)
        for mean, scale, part, shape in zip(
            means, scales, cuts[:3], ((nx, ny), (CHROMA, CHROMA), (CHROMA, CHROMA)), strict=True
        )
    )
    b = luma - 2 / 3 * yellow
    r = (3 * luma - b + red) / 2
    return np.rint(255 * np.clip(np.stack([r, r - red, b], 2), 0, 1)).astype(np.uint8)


def _places(nx: int, ny: int) -> list[tuple[int, int]]:
    """The frequencies (x, y) that are kept: a triangle, row by row, the mean first."""
    return [(x, y) for y in range(ny) for x in range(nx) if x * ny < nx * (ny - y)]


def _cosines(n: int, length: int) -> np.ndarray:
    """(n, length): n cosines over so many pixels."""
    return np.cos(np.pi / length * np.outer(np.arange(n), np.arange(length) + 0.5))


def _terms(plane: np.ndarray, nx: int, ny: int) -> np.ndarray:
    """Mean products of a plane (H, W) with the cosines of `_places`."""
    height, width = plane.shape
    every = _cosines(ny, height) @ plane @ _cosines(nx, width).T / plane.size  # (ny, nx)
    return np.array([every[y, x] for x, y in _places(nx, ny)])


def _drawn(values: np.ndarray, nx: int, ny: int, size: tuple[int, int]) -> np.ndarray:
    """The sum of the cosines of all frequencies but the mean, (height, width)."""
    terms = np.zeros((ny, nx))
    for (x, y), value in zip(_places(nx, ny)[1:], values, strict=True):
        terms[y, x] = 2 * value  # the format's factor for every term, along one axis or both
    return _cosines(ny, size[1]).T @ terms @ _cosines(nx, size[0])


def _round(value: float) -> int:
    """Halves up, as in JavaScript."""
    return floor(value + 0.5)


def make() -> ThumbHash:
    return ThumbHash()
