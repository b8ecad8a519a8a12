"""A codec's name to the codec: classical opponents, placeholders, and tokcodec itself, all to be
searched and measured alike.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from PIL import Image

from benchmarks.rows import parse_settings, settings_text
from tokcodec.errors import ArgumentError

__all__ = ["NAMES", "Codec", "Settings", "find", "parse_settings", "settings_text"]

Settings = dict[str, str | int | float]  # {"scale": 0.25, "quality": 17}: enough to encode again


class Codec(Protocol):
    """One opponent, or tokcodec itself.

    Attributes:
        name: as in --codecs and in rows: "webp", "tokcodec:pyramid@linear".
        version: what makes the files: "Pillow 13.0.0, libwebp 1.6.0".
        searched: its files are tried out for the best; False for a codec that makes one file for a
            limit by itself.
    """

    name: str
    version: str
    searched: bool

    def encode(self, image: Image.Image, settings: Settings) -> bytes:
        """A picture (mode RGB, no metadata) to the file that `fitting` gave with these settings."""

    def decode(self, data: bytes, size: tuple[int, int]) -> Image.Image:
        """A file to an RGB picture of `size` (width, height), enlarged (bicubic) where the file's
        is smaller.

        The size of the original is taken as known at the receiver. That favours codecs whose files
        are scaled down, which would have to carry it; tokcodec's do.
        """

    def fitting(
        self, image: Image.Image, max_bytes: int, full_size: bool = False
    ) -> Iterator[tuple[Settings, bytes]]:
        """The files of at most `max_bytes` bytes worth comparing, none where nothing fits.

        For a classical codec, per scale, those of the highest qualities that fit; for tokcodec the
        one. `full_size`: at the picture's own size only. What was encoded for one limit is kept
        for the next, as long as the picture is the same.
        """

    def smallest(self, image: Image.Image, full_size: bool = False) -> int:
        """Bytes of the smallest file found, at any scale or at full size only."""


OPPONENTS = ("jpeg", "webp", "avif", "jxl", "jpeg2000", "thumbhash", "blurhash")
NAMES: tuple[str, ...] = ("tokcodec", *OPPONENTS)
ELSEWHERE = re.compile(r"(?P<module>\w+(\.\w+)*):(?P<function>\w+)")
METHODS = ("encode", "decode", "fitting", "smallest")


def find(spec: str) -> Codec:
    """A codec by its name.

    Args:
        spec: one of NAMES, or tokcodec with a model (a name, path or hub name, as for
            `tokcodec.load`) and ways of decoding: "tokcodec:pyramid", "tokcodec:pyramid@linear".
            Without a model it is the default one. "MODULE:FUNCTION" is a codec of your own: what
            the function gives, of a module that Python finds or that lies in the working folder.

    Raises:
        ArgumentError: there is no such codec, its package is missing, or what a function gives is
            none; says what there is, what to install or what is wrong.
    """
    if spec in OPPONENTS:
        make: Callable[[], Codec] = import_module(f"benchmarks.codecs.{spec}").make
        return make()
    if re.match("tokcodec($|[:@])", spec):
        return import_module("benchmarks.codecs.tokcodec").TokCodec(spec)
    elsewhere = ELSEWHERE.fullmatch(spec)
    if elsewhere and spec.partition(":")[0] not in NAMES:
        return _own(spec, elsewhere["module"], elsewhere["function"])
    raise ArgumentError(
        f'no codec "{spec}"; there are: {", ".join(NAMES)}, tokcodec:MODEL, and MODULE:FUNCTION '
        "for one of your own"
    )


def _own(spec: str, module: str, function: str) -> Codec:
    """What somebody's function gives.

    Raises:
        ArgumentError: it cannot be had, or is no `Codec` of that name.
    """
    here = str(Path.cwd())
    if not {"", here} & {*sys.path}:
        sys.path.append(here)  # last: nothing that is installed is hidden
    try:
        codec: Any = getattr(import_module(module), function)()
    except Exception as e:  # whatever somebody's module may raise
        raise ArgumentError(f'codec "{spec}": {type(e).__name__}: {e}') from e
    if getattr(codec, "name", None) != spec:  # by which its rows are known
        raise ArgumentError(f'codec "{spec}": what {function}() gives has another name or none')
    version = getattr(codec, "version", None)
    if not isinstance(version, str) or not version or not version.isprintable():
        raise ArgumentError(f'codec "{spec}": its version is no line of text')
    if not isinstance(getattr(codec, "searched", None), bool):
        raise ArgumentError(f'codec "{spec}": its attribute searched is neither True nor False')
    if missing := [m for m in METHODS if not callable(getattr(codec, m, None))]:
        raise ArgumentError(f'codec "{spec}" has no method {", ".join(missing)}')
    return codec
