"""Arguments of the codecs to values that can be used, or one clear error."""

from __future__ import annotations

import numpy as np

from tokcodec.errors import ArgumentError
from tokcodec.limits import MAX_SIDE

Size = tuple[int, int]  # (width, height), as in PIL


def as_bytes(data: bytes) -> bytes:
    """A stream as bytes."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ArgumentError(f"a stream is bytes, not {type(data).__name__}; read the file first")
    return bytes(data)


def check_size(size: Size) -> Size:
    """A size as two whole numbers that a header can hold."""
    try:
        width, height = (int(v) for v in size)
    except (TypeError, ValueError):
        raise ArgumentError(f"a size is (width, height), not {size!r}") from None
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ArgumentError(f"a size lies in 1..{MAX_SIDE} pixels, not {width} x {height}")
    return width, height


def check_limits(budget: int | None, max_bytes: int | None, decibels: float | None = None) -> None:
    """Refuse limits that mean nothing."""
    for name, value in (("budget", budget), ("max_bytes", max_bytes)):
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0
        ):
            raise ArgumentError(f"{name} must be a whole number from 0, not {value!r}")
    if decibels is not None and not (
        isinstance(decibels, (int, float, np.number)) and 0 <= float(decibels) <= 100
    ):
        raise ArgumentError(f"psnr must lie in 0..100 dB, not {decibels!r}")
