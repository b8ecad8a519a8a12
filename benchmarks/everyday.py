"""JPEG, WebP and AVIF as most people save them: full size, one fixed quality, through Pillow."""

from __future__ import annotations

from typing import NamedTuple

from PIL import Image

from benchmarks.codecs.pillow import made_by, opened, saved


class Everyday(NamedTuple):
    """A format at a fixed quality.

    Attributes:
        name: as in tables: "WebP q75".
        kind: Pillow's name of the format.
        options: Pillow's options to save with.
    """

    name: str
    kind: str
    options: dict[str, int | bool]

    @property
    def version(self) -> str:
        """What makes the file: "Pillow 13.0.0, libwebp 1.6.0"."""
        return made_by(self.kind)

    def encode(self, image: Image.Image, **more: int | bool) -> bytes:
        """An RGB picture to a file; `more` goes to Pillow beside `options`."""
        return saved(image, self.kind, **self.options, **more)

    def decode(self, data: bytes) -> Image.Image:
        """A file to an RGB picture, all of it decoded."""
        return opened(data, self.kind)


def jpeg(quality: int) -> Everyday:
    """Optimised, progressive JPEG; `quality` 1 to 95."""
    options = {"quality": quality, "optimize": True, "progressive": True}
    return Everyday(f"JPEG q{quality}", "JPEG", options)


def webp(quality: int) -> Everyday:
    """Lossy WebP with the slowest, strongest search (method 6); `quality` 0 to 100."""
    return Everyday(f"WebP q{quality}", "WEBP", {"quality": quality, "method": 6})


def avif(quality: int, speed: int) -> Everyday:
    """AVIF; `quality` 0 to 100, `speed` 0 (slowest) to 10."""
    name = f"AVIF q{quality}, speed {speed}"
    return Everyday(name, "AVIF", {"quality": quality, "speed": speed})
