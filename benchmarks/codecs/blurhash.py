"""BlurHash: a placeholder of 6 to 166 characters, by the number of its cosine terms.

Written from the published format (github.com/woltapp/blurhash, Algorithm.md); the packages for
Python sum the terms in loops, too slowly to try 81 numbers of terms.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from benchmarks.codecs import Settings

DIGITS = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
MAX_TERMS = 9  # terms along a side


class BlurHash:
    """Cosine terms of linear light, one to nine along each side; one character is a byte."""

    name = "blurhash"
    version = "own port"
    searched = True

    def encode(self, image: Image.Image, settings: Settings) -> bytes:
        return encode(terms(np.asarray(image)), int(settings["x"]), int(settings["y"]))

    def decode(self, data: bytes, size: tuple[int, int]) -> Image.Image:
        return Image.fromarray(decode(data, size))

    def fitting(
        self, image: Image.Image, max_bytes: int, full_size: bool = False
    ) -> Iterator[tuple[Settings, bytes]]:
        """Every number of terms that fits: more terms are not always better, and all are cheap."""
        every = terms(np.asarray(image))
        for x in range(1, MAX_TERMS + 1):
            for y in range(1, MAX_TERMS + 1):
                if 4 + 2 * x * y <= max_bytes:
                    yield {"x": x, "y": y}, encode(every, x, y)

    def smallest(self, image: Image.Image, full_size: bool = False) -> int:
        return 6


def terms(rgb: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3) to the mean products with 9 x 9 cosines: (9, 9, 3), rows first."""
    height, width = rgb.shape[:2]
    light = _linear(np.arange(256) / 255)[rgb]
    down, along = _cosines(MAX_TERMS, height) / height, _cosines(MAX_TERMS, width) / width
    found = np.einsum("yh,hwc,xw->yxc", down, light, along, optimize=True)
    found *= 2
    found[0, 0] /= 2  # the format's factor is 2 for every term but the mean
    return found


def encode(every: np.ndarray, x: int, y: int) -> bytes:
    """The first x by y of `terms` to a string."""
    mean, *rest = every[:y, :x].reshape(-1, 3)
    largest = float(np.abs(rest).max(initial=0))
    step = max(0, min(82, int(166 * largest - 0.5)))
    scale = (step + 1) / 166 if rest else 1.0
    out = _digits(x - 1 + 9 * (y - 1), 1) + _digits(step if rest else 0, 1)
    r, g, b = (int(v) for v in np.rint(255 * _gamma(mean)))
    out += _digits(r << 16 | g << 8 | b, 4)
    for term in rest:
        root = np.sign(term) * np.sqrt(np.abs(term) / scale)
        r, g, b = (int(v) for v in np.clip(np.floor(9 * root + 9.5), 0, 18))
        out += _digits((r * 19 + g) * 19 + b, 2)
    return out


def decode(data: bytes, size: tuple[int, int]) -> np.ndarray:
    """A string to uint8 (height, width, 3) of `size` (width, height), its terms drawn at that
    size.
    """
    y, x = divmod(DIGITS.index(data[0]), 9)
    found = np.zeros((y + 1, x + 1, 3))
    mean = _number(data[2:6])
    found[0, 0] = _linear(np.array([mean >> 16, mean >> 8 & 255, mean & 255]) / 255)
    scale = (_number(data[1:2]) + 1) / 166
    rest = found.reshape(-1, 3)  # a view
    for n in range(1, len(rest)):
        value = _number(data[4 + 2 * n : 6 + 2 * n])
        root = (np.array([value // 361, value // 19 % 19, value % 19]) - 9) / 9
        rest[n] = scale * np.sign(root) * root**2
    width, height = size
    down, along = _cosines(y + 1, height), _cosines(x + 1, width)
    light = np.einsum("yh,yxc,xw->hwc", down, found, along, optimize=True)
    return np.rint(255 * _gamma(light)).astype(np.uint8)


def _cosines(n: int, length: int) -> np.ndarray:
    """(n, length): n cosines from the first pixel's edge on."""
    return np.cos(np.pi / length * np.outer(np.arange(n), np.arange(length)))


def _linear(value: np.ndarray) -> np.ndarray:
    """sRGB in 0..1 to linear light."""
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _gamma(light: np.ndarray) -> np.ndarray:
    """Linear light, cut to 0..1, to sRGB in 0..1."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _digits(value: int, length: int) -> bytes:
    """A number in base 83."""
    return bytes(DIGITS[value // 83**place % 83] for place in reversed(range(length)))


def _number(digits: bytes) -> int:
    value = 0
    for digit in digits:
        value = 83 * value + DIGITS.index(digit)
    return value


def make() -> BlurHash:
    return BlurHash()
