"""A picture to the bytes of an image file, of the kind that a suffix names."""

from __future__ import annotations

import io
import struct
from typing import Any

from PIL import Image

from tokcodec.errors import ArgumentError, OutputError

# Where a format loses something unless told otherwise, so little that nobody sees it: what was
# drawn of a stream is not to be coded away again.
BEST: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"lossless": True},
    "AVIF": {"quality": 95, "subsampling": "4:4:4"},
}
# What Pillow's writers raise for pictures that their formats cannot hold.
_REFUSED = (OSError, ValueError, ArithmeticError, RuntimeError, struct.error)


def kind_of(suffix: str) -> str:
    """Pillow's name of the format that a suffix, as ".png", stands for.

    Raises:
        ArgumentError: no picture can be written so.
    """
    kind = Image.registered_extensions().get(suffix.lower())
    if kind is None or kind not in Image.SAVE:
        raise ArgumentError(f"no picture can be written with the suffix {suffix!r}; try .png")
    return kind


def saved(picture: Image.Image, suffix: str) -> bytes:
    """The file's bytes, with all that the format can keep, or nearly (`BEST`).

    Raises:
        ArgumentError: as `kind_of`.
        OutputError: the format cannot hold this picture: it is too large for it, or in colour.
    """
    kind, out = kind_of(suffix), io.BytesIO()
    try:
        picture.save(out, kind, **BEST.get(kind, {}))
    except _REFUSED as e:
        raise OutputError(f"cannot make a {suffix} file of this picture: {e}") from e
    return out.getvalue()


def holds_colour(suffix: str) -> bool:
    """Whether pictures in colour can be saved so; some formats are for black and white alone."""
    try:
        return bool(saved(Image.new("RGB", (64, 64)), suffix))
    except (ArgumentError, OutputError):
        return False
