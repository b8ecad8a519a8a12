"""8-bit RGB to luma and chroma planes whose squared error is that of RGB, and back.

The three axes are orthonormal: (R + G + B) / sqrt 3, (R - B) / sqrt 2, (R - 2G + B) / sqrt 6,
after taking mid-grey 127.5 off. A grey picture is its luma plane alone.
"""

from __future__ import annotations

import numpy as np

MID = np.float32(127.5)
ROOT3, ROOT2, ROOT6 = (np.float32(x) for x in (3**0.5, 2**0.5, 6**0.5))


def to_planes(rgb: np.ndarray, grey: bool) -> np.ndarray:
    """uint8 (..., height, width, 3) to float32 (..., 3 or 1, height, width)."""
    r = rgb[..., 0].astype(np.float32)
    if grey:
        return ((r - MID) * ROOT3)[..., None, :, :]
    g, b = rgb[..., 1].astype(np.float32), rgb[..., 2].astype(np.float32)
    out = np.empty((*r.shape[:-2], 3, *r.shape[-2:]), np.float32)
    np.subtract(r, b, out=out[..., 1, :, :])
    out[..., 1, :, :] *= np.float32(1) / ROOT2
    r += b
    np.subtract(r, g + g, out=out[..., 2, :, :])
    out[..., 2, :, :] *= np.float32(1) / ROOT6
    r += g
    r -= np.float32(3) * MID
    np.multiply(r, np.float32(1) / ROOT3, out=out[..., 0, :, :])
    return out


def to_rgb(planes: list[np.ndarray]) -> np.ndarray:
    """Three planes, or one, float32 (height, width), to uint8 (height, width, 3), clipped and
    rounded.
    """
    luma = planes[0] * (np.float32(1) / ROOT3) + MID
    if len(planes) == 1:
        return np.repeat(_to_bytes(luma)[..., None], 3, axis=-1)
    out = np.empty((*luma.shape, 3), np.uint8)
    third = planes[2] * (np.float32(1) / ROOT6)
    half = planes[1] * (np.float32(1) / ROOT2)
    out[..., 1] = _to_bytes(luma - (third + third))
    luma += third
    out[..., 0] = _to_bytes(luma + half)
    luma -= half
    out[..., 2] = _to_bytes(luma)
    return out


def _to_bytes(x: np.ndarray) -> np.ndarray:
    """Nearest integers in 0..255; `x` is overwritten."""
    np.rint(x, out=x)
    np.clip(x, 0, 255, out=x)
    return x.astype(np.uint8)
