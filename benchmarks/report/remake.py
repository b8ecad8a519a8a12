"""Rows back to pictures: the originals, and what each codec makes of them with a row's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from benchmarks.pictures import pictures
from benchmarks.report.curves import Results
from benchmarks.rows import PSNR, Row, finite, parse_settings
from tokcodec.errors import TokCodecError
from tokcodec.psnr import psnr

VIEW = (384, 256)  # pixels shown of a picture: its middle, never scaled
PSNR_SLACK = 0.05  # dB; rows hold six digits, decoders of another version may round otherwise


class Tile(NamedTuple):
    """A picture to show, or why there is none; `text` is short and plain ASCII."""

    text: str
    image: Image.Image | None = None


class Workshop:
    """Makes pictures of an image set again; what cannot be made is noted in `problems`."""

    def __init__(self, results: Results, images: str) -> None:
        """`images`: name of the set or folder that the rows were measured on."""
        self.results = results
        self.problems: list[str] = []
        self._codecs: dict[str, Any] = {}
        self._originals: dict[str, Callable[[], Image.Image]] = {}
        self._loaded: tuple[str, Image.Image] | None = None
        try:
            self._originals = pictures(images)
        except TokCodecError as e:
            self._note(str(e))
        missing = sum(name not in self._originals for name in results.images)
        if self._originals and missing:
            self._note(f"{images} lacks {missing} of the rows' pictures")

    def _note(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def names(self) -> list[str]:
        """Pictures of the rows that are at hand."""
        return [name for name in self.results.images if name in self._originals]

    def original(self, name: str) -> Image.Image | None:
        if name not in self._originals:
            return None
        if self._loaded is None or self._loaded[0] != name:
            try:
                self._loaded = name, self._originals[name]()
            except (TokCodecError, OSError) as e:
                self._note(f"{name}: {e}")
                return None
        return self._loaded[1]

    def row(self, codec: str, name: str, target: int) -> Row | None:
        """The row to look at, chosen by PSNR: what LPIPS-Alex chooses looks no better for WebP
        and JPEG XL, and worse for JPEG, where it prefers blocks with hard edges.
        """
        return self.results.row(codec, name, target, PSNR)

    def tile(self, codec: str, name: str, target: int) -> Tile:
        """What `codec` made of the picture within `target` bytes, cut to VIEW."""
        row = self.row(codec, name, target)
        if row is None:
            return Tile("not measured")
        if row.bytes is None:
            return Tile(row.settings.replace(": smallest ", ", smallest ") + " B")
        image, maker = self.original(name), self._codec(codec)
        if image is None or maker is None:
            return Tile("not at hand")
        try:
            data = maker.encode(image, parse_settings(row.settings))
            shown = maker.decode(data, image.size)
        except Exception as e:  # whatever a codec's package may raise
            self._note(f"{codec}: {e}")
            return Tile("not at hand")
        score = finite(psnr(np.asarray(shown), np.asarray(image)))
        if len(data) != row.bytes or (row.psnr and abs(score - row.psnr) > PSNR_SLACK):
            self._note(f"{codec} as installed here does not make the files of the rows again")
            return Tile("another version at hand")
        return Tile(caption(row), view(shown))

    def _codec(self, name: str) -> Any:
        if name not in self._codecs:
            try:
                from benchmarks.codecs import find

                self._codecs[name] = find(name)
            except (TokCodecError, ImportError) as e:
                self._note(str(e))
                self._codecs[name] = None
        return self._codecs[name]


def caption(row: Row) -> str:
    parts = [f"{row.bytes:,} B"]
    if row.psnr is not None:
        parts.append(f"{row.psnr:.1f} dB")
    if row.lpips_alex is not None:
        parts.append(f"LPIPS {row.lpips_alex:.2f}")
    return "  ".join(parts)


def view(image: Image.Image) -> Image.Image:
    """The middle of a picture, at most VIEW."""
    w, h = min(image.width, VIEW[0]), min(image.height, VIEW[1])
    left, top = (image.width - w) // 2, (image.height - h) // 2
    return image.crop((left, top, left + w, top + h))
