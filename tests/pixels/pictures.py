"""Photographs to hand in, as files too, and what they look like on a background."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from skimage import data


def photo(side: int = 40) -> Image.Image:
    """A small colour photograph, wider than high."""
    image = Image.fromarray(data.chelsea())
    image.thumbnail((side, side))
    return image


def see_through(mode: str = "RGBA") -> Image.Image:
    """A photograph that fades away from left to right."""
    image = photo()
    ramp = np.linspace(0, 255, image.width).astype(np.uint8)
    image.putalpha(Image.fromarray(np.tile(ramp, (image.height, 1))))
    return image.convert(mode)


def deep() -> np.ndarray:
    """16-bit values that use the whole range."""
    return (np.asarray(photo().convert("L")).astype(np.uint32) * 257).astype(np.uint16)


def saved(image: Image.Image, kind: str, **options) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def laid(image: Image.Image, background: tuple[int, int, int] = (255, 255, 255)) -> np.ndarray:
    """What alpha blending in floating point gives."""
    rgba = np.asarray(image.convert("RGBA")).astype(float)
    alpha = rgba[..., 3:] / 255
    return rgba[..., :3] * alpha + np.array(background) * (1 - alpha)


def assert_near(found: np.ndarray, wanted: np.ndarray, by: float) -> None:
    assert found.dtype == np.uint8
    assert found.shape == wanted.shape
    far = np.abs(found.astype(float) - wanted).max()
    assert far <= by, far
