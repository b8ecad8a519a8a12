"""JPEG XL by libjxl in pillow-jxl-plugin, lossy, effort 9."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import PIL
from PIL import Image

from benchmarks.codecs import Settings
from benchmarks.codecs.pillow import opened, saved
from benchmarks.codecs.scaled import Scaled
from tokcodec.errors import ArgumentError

HALVED = 18  # up to this quality (distance 10) libjxl codes the picture at half its size by itself


class Jxl(Scaled):
    """A bare codestream. Lengths fall by a third where halving ends, so that the two sides are two
    ladders, and dip by some per cent between: more neighbours are tried than for other codecs.
    """

    name = "jxl"
    above, below = 3, 1

    def __init__(self) -> None:
        plugin = version("pillow-jxl-plugin")
        self.version = f"Pillow {PIL.__version__}, pillow-jxl-plugin {plugin}"

    def variants(self) -> list[tuple[Settings, Sequence[int | float]]]:
        halves = [step / 2 for step in range(200)]  # 100 is lossless
        return [
            ({}, [q for q in halves if q <= HALVED]),
            ({}, [q for q in halves if q > HALVED]),
        ]

    def compress(self, image: Image.Image, settings: Settings) -> bytes:
        return saved(image, "JXL", quality=settings["quality"], effort=9, num_threads=0)

    def expand(self, data: bytes) -> Image.Image:
        return opened(data, "JXL")


def make() -> Jxl:
    try:
        from pillow_jxl import JpegXLImagePlugin
    except ImportError:
        raise ArgumentError(
            "JPEG XL needs a plugin for Pillow: pip install pillow-jxl-plugin"
        ) from None
    JpegXLImagePlugin.DECODE_THREADS = 0  # as the others: one thread
    return Jxl()
