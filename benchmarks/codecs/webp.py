"""WebP by libwebp in Pillow, lossy, at its slowest."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, features

from benchmarks.codecs import Settings
from benchmarks.codecs.pillow import made_by, opened, saved
from benchmarks.codecs.scaled import FINE_SCALES, Scaled
from tokcodec.errors import ArgumentError

STEPS = 128


def qualities() -> list[float]:
    """128 qualities, evenly spread over libwebp's quantisers.

    libwebp takes the cube root of (a piecewise linear function of) the quality as its place
    between coarsest and finest quantiser (quant_enc.c), so that a fifth of them lie between
    quality 0 and 1.
    """
    found = []
    for step in range(STEPS):
        place = (step / (STEPS - 1)) ** 3
        found.append(round(100 * (1.5 * place if place < 0.5 else (place + 1) / 2), 4))
    return found


class WebP(Scaled):
    """Lossy WebP, method 6. Chroma is always at half size (4:2:0)."""

    name = "webp"
    longest = 16383
    scales = FINE_SCALES
    above, below = 3, 1

    def __init__(self) -> None:
        self.version = made_by("WEBP")

    def variants(self) -> list[tuple[Settings, Sequence[int | float]]]:
        return [({}, qualities())]

    def compress(self, image: Image.Image, settings: Settings) -> bytes:
        return saved(image, "WEBP", quality=settings["quality"], method=6)

    def expand(self, data: bytes) -> Image.Image:
        return opened(data, "WEBP")


def make() -> WebP:
    if not features.check("webp"):
        raise ArgumentError("this Pillow has no WebP: pip install --upgrade pillow")
    return WebP()
