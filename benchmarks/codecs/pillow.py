"""Pillow's formats: a picture to a file and back, and what makes the file."""

from __future__ import annotations

import io

import PIL
from PIL import Image, features

LIBRARIES = {  # by Pillow's name of the format: the library, and what Pillow calls it
    "JPEG": ("libjpeg-turbo", "libjpeg_turbo"),
    "JPEG2000": ("OpenJPEG", "jpg_2000"),
    "WEBP": ("libwebp", "webp"),
    "AVIF": ("libavif", "avif"),
}


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """A picture as a file of Pillow's, of the format `kind`."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def opened(data: bytes, kind: str) -> Image.Image:
    """A file of Pillow's, of the format `kind`, as an RGB picture, all of it decoded."""
    image = Image.open(io.BytesIO(data), formats=[kind])
    image.load()
    return image if image.mode == "RGB" else image.convert("RGB")  # convert always copies


def made_by(kind: str) -> str:
    """What makes a file of the format `kind`: "Pillow 13.0.0, libwebp 1.6.0"."""
    library, feature = LIBRARIES[kind]
    if kind == "JPEG" and not features.check(feature):
        library, feature = "libjpeg", "jpg"
    return f"Pillow {PIL.__version__}, {library} {features.version(feature)}"
