"""A codec with a knob for quality, at any scale: what it can make of a picture within a limit."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from PIL import Image

from benchmarks.codecs import Settings
from benchmarks.codecs.ladder import Ladder
from benchmarks.codecs.memo import Memo
from tokcodec.errors import InputError

SCALES: tuple[float, ...] = (1.0, 3 / 4, 1 / 2, 3 / 8, 1 / 4, 3 / 16, 1 / 8, 3 / 32, 1 / 16)
FINE_SCALES = tuple(sorted((*SCALES, 7 / 8, 5 / 8, 7 / 16, 5 / 16), reverse=True))
KEPT = 64 << 20  # bytes of files and scaled pictures to keep for one picture, each


class Scaled(ABC):
    """A classical codec: subclasses say how one picture becomes a file at its own size.

    Attributes:
        scales: tried on every picture. JPEG and WebP, which start at a kilobyte or so at full size,
            get FINE_SCALES, worth up to 0.2 dB to them and nothing to the others.
        knob: name of the setting that levels set.
        above, below: see `Ladder.fitting`; measured for each codec on all its qualities.
        longest: the most pixels a side that the format takes.
    """

    name: str
    version: str
    searched = True
    scales = SCALES
    knob = "quality"
    above, below = 2, 2
    longest = 65535
    _kept: tuple[tuple[bytes, tuple[int, int]], list[_Work]] | None = None

    @abstractmethod
    def variants(self) -> list[tuple[Settings, Sequence[int | float]]]:
        """Settings beside scale and quality that are tried, each with its qualities, lowest
        first.
        """

    @abstractmethod
    def compress(self, image: Image.Image, settings: Settings) -> bytes:
        """A picture to a file at the picture's size."""

    @abstractmethod
    def expand(self, data: bytes) -> Image.Image:
        """A file to an RGB picture at the file's size."""

    def encode(self, image: Image.Image, settings: Settings) -> bytes:
        return self.compress(shrink(image, float(settings["scale"])), settings)

    def decode(self, data: bytes, size: tuple[int, int]) -> Image.Image:
        picture = self.expand(data)
        return picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)

    def fitting(
        self, image: Image.Image, max_bytes: int, full_size: bool = False
    ) -> Iterator[tuple[Settings, bytes]]:
        for work in self._works(image, full_size):
            for level in work.ladder.fitting(max_bytes, self.above, self.below):
                yield work.settings(level), work.file(level)

    def smallest(self, image: Image.Image, full_size: bool = False) -> int:
        works = self._works(image, full_size)
        if not works:
            raise InputError(f"{self.name} takes at most {self.longest} pixels a side")
        return min(work.ladder.shortest(self.above) for work in works)

    def _works(self, image: Image.Image, full_size: bool) -> list[_Work]:
        """The picture's scales and variants with what is known of them; kept for one picture."""
        digest = hashlib.blake2b(image.tobytes()).digest(), image.size
        if self._kept is None or self._kept[0] != digest:
            self._kept = digest, self._all(image)
        return [w for w in self._kept[1] if w.scale == 1 or not full_size]

    def _all(self, image: Image.Image) -> list[_Work]:
        scales: dict[tuple[int, int], float] = {}
        for scale in self.scales:
            size = scaled_size(image.size, scale)
            if max(size) <= self.longest:
                scales.setdefault(size, scale)  # a tiny picture has few sizes
        shrunk = Memo(lambda s: shrink(image, s), lambda i: 3 * i.width * i.height, KEPT)
        works = [
            _Work(scale, fixed, self.knob, levels)
            for scale in scales.values()
            for fixed, levels in self.variants()
        ]
        files = Memo(
            lambda n, level: self.compress(shrunk(works[n].scale), works[n].settings(level)),
            len,
            KEPT,
        )
        for n, work in enumerate(works):
            work.file = partial(files, n)
        return works


class _Work:
    """One picture at one scale in one variant: its files by level, and the ladder of levels."""

    file: Callable[[int], bytes]

    def __init__(
        self, scale: float, fixed: Settings, knob: str, levels: Sequence[int | float]
    ) -> None:
        self.scale = scale
        self._fixed, self._knob, self._levels = fixed, knob, levels
        self.ladder = Ladder(len(levels), lambda level: len(self.file(level)))

    def settings(self, level: int) -> Settings:
        return {"scale": self.scale, **self._fixed, self._knob: self._levels[level]}


def scaled_size(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """Width and height at a scale, at least one pixel each."""
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def shrink(image: Image.Image, scale: float) -> Image.Image:
    """A picture scaled down by Lanczos; itself at scale 1."""
    size = scaled_size(image.size, scale)
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
