"""Pictures of any size to the square that a tokenizer sees, and back to their size."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image

from tokcodec.arguments import Size
from tokcodec.errors import ArgumentError, UnsupportedVersionError

SQUASH, CROP, PAD = MODES = ("squash", "crop", "pad")  # their numbers in a header
Finish = Callable[[Image.Image], Image.Image]
_BICUBIC, _LANCZOS = Image.Resampling.BICUBIC, Image.Resampling.LANCZOS


class Box(NamedTuple):
    """A part of a picture, in pixels: left and top inside, right and bottom outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> Size:
        return self.right - self.left, self.bottom - self.top


def seen(size: Size, fit: str) -> Box:
    """The part of a picture of that size that its tokens show: the middle square, if cropped."""
    width, height = size
    if fit != CROP:
        return Box(0, 0, width, height)
    side = min(size)
    left, top = (width - side) // 2, (height - side) // 2
    return Box(left, top, left + side, top + side)


def filled(size: Size, side: int, fit: str) -> Box:
    """The part of the square that shows the picture: a band through the middle, if padded."""
    if fit != PAD:
        return Box(0, 0, side, side)
    width, height = (max(1, (v * side + max(size) // 2) // max(size)) for v in size)
    left, top = (side - width) // 2, (side - height) // 2
    return Box(left, top, left + width, top + height)


def enter(rgb: np.ndarray, side: int, fit: str) -> np.ndarray:
    """A picture, uint8 (height, width, 3), to its square, uint8 (side, side, 3).

    Args:
        fit: "squash" the whole picture to a square; "crop" its middle square; "pad" the whole
            picture, in its shape, with its mean colour.

    Raises:
        ArgumentError: there is no such way.
    """
    check_mode(fit)
    picture = Image.fromarray(rgb)
    inside = filled(picture.size, side, fit)
    scaled = picture.resize(inside.size, _BICUBIC, box=seen(picture.size, fit))
    if inside.size == (side, side):
        return np.asarray(scaled)
    square = np.empty((side, side, 3), np.uint8)
    square[:] = np.rint(np.asarray(scaled).mean((0, 1)))
    square[inside.top : inside.bottom, inside.left : inside.right] = np.asarray(scaled)
    return square


def leave(
    square: np.ndarray, size: Size, wanted: Size, fit: str, finish: Finish | None = None
) -> Image.Image:
    """A drawn square, uint8 (side, side, 3), to a picture of size `wanted`, which has the shape of
    the original's `size`. What was cropped away has the mean colour of what is there. `finish` is
    done to what was enlarged.
    """
    drawn, finish = Image.fromarray(square), finish or _as_it_is
    part = seen(size, fit)
    if part.size == size:
        return finish(drawn.resize(wanted, _LANCZOS, box=filled(size, len(square), fit)))
    place = Box(*(round(v * wanted[i % 2] / size[i % 2]) for i, v in enumerate(part)))
    canvas = Image.new("RGB", wanted, tuple(int(v) for v in np.rint(square.mean((0, 1)))))
    room = max(1, place.size[0]), max(1, place.size[1])
    canvas.paste(finish(drawn.resize(room, _LANCZOS)), place[:2])
    return canvas


def _as_it_is(picture: Image.Image) -> Image.Image:
    return picture


def check_mode(fit: str) -> None:
    """See that there is such a way to become a square.

    Raises:
        ArgumentError: there is none.
    """
    if fit not in MODES:
        raise ArgumentError(f"fit is one of {', '.join(MODES)}, not {fit!r:.40}")


def field_of(fit: str, size: Size) -> bytes:
    """The header's fit mode, one byte; none for squares and for "squash", where it is understood.

    Raises:
        ArgumentError: there is no such way.
    """
    check_mode(fit)
    return b"" if fit == SQUASH or size[0] == size[1] else bytes((MODES.index(fit),))


def mode_of(data: bytes | None) -> str:
    """The other way round; None: there is no such field.

    Raises:
        UnsupportedVersionError: a mode that is newer than this tokcodec.
    """
    if data is None:
        return SQUASH
    if len(data) != 1 or not 1 <= data[0] < len(MODES):
        raise UnsupportedVersionError("the picture was fitted in a way newer than this tokcodec")
    return MODES[data[0]]
