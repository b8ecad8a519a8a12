"""A codec's name to something that can be timed: encode, decode and thumbnail at one setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from PIL import Image

from benchmarks.codecs import find
from benchmarks.codecs.tokcodec import TokCodec
from benchmarks.everyday import Everyday, avif, webp
from benchmarks.rows import settings_text
from tokcodec.errors import InputError

QUALITY, AVIF_SPEED = 5, 4  # of the rivals
BITS_PER_PIXEL, MIN_BYTES = 0.1, 64  # what all others are given
THUMBNAIL = (128, 128)  # pixels

Settings = Mapping[str, str | int | float]


class Contender(Protocol):
    """A codec ready for the clock.

    Attributes:
        version: as in rows: "Pillow 13.0.0, libwebp 1.6.0".
    """

    version: str

    def prepare(self, image: Image.Image) -> Settings:
        """Settings for a picture; not timed."""

    def encode(self, image: Image.Image, settings: Settings) -> bytes:
        """An RGB picture to a file."""

    def decode(self, data: bytes, size: tuple[int, int]) -> object:
        """A file to pixels."""

    def thumbnail(self, data: bytes, size: tuple[int, int]) -> object:
        """A file to a picture of at most `THUMBNAIL`, by the shortest way there is."""


class Fixed:
    """WebP or AVIF at a fixed low quality; `threads` goes to the encoder where it takes that."""

    def __init__(self, form: Everyday, threads: int) -> None:
        self.form, self.version = form, form.version
        self.more = {"max_threads": threads} if form.kind == "AVIF" else {}

    def prepare(self, image: Image.Image) -> Settings:
        return self.form.options

    def encode(self, image: Image.Image, settings: Settings) -> bytes:
        return self.form.encode(image, **self.more)

    def decode(self, data: bytes, size: tuple[int, int]) -> Image.Image:
        return self.form.decode(data)

    def thumbnail(self, data: bytes, size: tuple[int, int]) -> Image.Image:
        image = self.form.decode(data)
        image.thumbnail(THUMBNAIL)
        return image


class Limited:
    """Any codec of the benchmark at full size, in 0.1 bit a pixel and at least 64 bytes.

    Raises:
        ArgumentError: no codec of that name, or its package is missing.
    """

    def __init__(self, spec: str) -> None:
        self.spec, self.codec = spec, find(spec)
        self.version = self.codec.version
        self.ours: Callable[..., object] | None = None
        if isinstance(self.codec, TokCodec):
            self.ours = self.codec.reduced

    def prepare(self, image: Image.Image) -> Settings:
        limit = max(MIN_BYTES, int(BITS_PER_PIXEL * image.width * image.height / 8))
        fitting = list(self.codec.fitting(image, limit, full_size=True))
        if not fitting:
            raise InputError(f"nothing fits {limit} bytes at full size")
        return max(fitting, key=lambda found: len(found[1]))[0]

    def encode(self, image: Image.Image, settings: Settings) -> bytes:
        return self.codec.encode(image, dict(settings))

    def decode(self, data: bytes, size: tuple[int, int]) -> object:
        return self.codec.decode(data, size)

    def thumbnail(self, data: bytes, size: tuple[int, int]) -> object:
        if self.ours:  # draws no more than it shows
            return self.ours(data, THUMBNAIL)
        image = self.codec.decode(data, size)
        image.thumbnail(THUMBNAIL)
        return image


RIVALS = {"webp": webp(QUALITY), "avif": avif(QUALITY, AVIF_SPEED)}


def contender(spec: str, threads: int) -> Contender:
    """ "webp" and "avif" are the rivals at a fixed quality; all else as `benchmarks.codecs.find`
    takes it.
    """
    return Fixed(RIVALS[spec], threads) if spec in RIVALS else Limited(spec)


def described(settings: Settings) -> str:
    """Settings as in rows."""
    return settings_text({k: int(v) if isinstance(v, bool) else v for k, v in settings.items()})
