"""AVIF by libaom in Pillow, slow, tuned for PSNR and for SSIM."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image

from benchmarks.codecs import Settings
from benchmarks.codecs.pillow import made_by, opened, saved
from benchmarks.codecs.scaled import Scaled
from tokcodec.errors import ArgumentError

SMALL = 1 << 16  # pixels; larger pictures are coded one step faster, at a loss of 0.1 dB


class Avif(Scaled):
    """Still AV1, chroma at full size (4:4:4).

    libaom's tunings "psnr" and "ssim" are both tried: at the same bytes they are 0.2 to 0.8 dB, and
    0.005 to 0.03 of LPIPS, better than Pillow's defaults (4:2:0, tuned for the eye), except for
    LPIPS above a bit and a half a pixel. Speed 3 gains 0.1 dB over 4 and takes twice as long;
    speed 0 gains another 0.06 dB and takes ten times as long. Lengths rise with every step of
    quality.
    """

    name = "avif"
    above, below = 0, 0

    def __init__(self) -> None:
        self.version = made_by("AVIF")

    def variants(self) -> list[tuple[Settings, Sequence[int | float]]]:
        return [({"tune": tune}, qualities()) for tune in ("psnr", "ssim")]

    def compress(self, image: Image.Image, settings: Settings) -> bytes:
        speed = 3 if image.width * image.height <= SMALL else 4
        return _saved(image, int(settings["quality"]), str(settings["tune"]), speed)

    def expand(self, data: bytes) -> Image.Image:
        return opened(data, "AVIF")


@cache
def qualities() -> tuple[int, ...]:
    """The qualities from 0 to 100 that give different files; AV1 has fewer quantisers."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    found: dict[bytes, int] = {}
    for quality in range(101):
        found.setdefault(_saved(Image.fromarray(noise), quality, "psnr", 9), quality)
    return tuple(found.values())


def _saved(image: Image.Image, quality: int, tune: str, speed: int) -> bytes:
    return saved(
        image, "AVIF", quality=quality, speed=speed, subsampling="4:4:4", codec="aom",
        advanced={"tune": tune}, max_threads=1,
    )  # fmt: skip


def make() -> Avif:
    try:
        qualities()
    except (KeyError, OSError, ValueError):  # no AVIF in this Pillow, or none by libaom
        raise ArgumentError(
            "this Pillow writes no AVIF: pip install --upgrade 'pillow>=11.3'"
        ) from None
    return Avif()
