"""A picture's size and a frame's to the size of the picture inside the frame."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor


def fit(size: tuple[int, int], frame: tuple[int, int]) -> tuple[int, int]:
    """The largest (width, height) of the same shape inside `frame`, as PIL's `Image.thumbnail`;
    never larger than `size`.
    """
    (width, height), (x, y) = size, frame
    if x >= width and y >= height:
        return size
    aspect = width / height
    if x / y >= aspect:
        x = _nearest(y * aspect, lambda n: abs(aspect - n / y))
    else:
        y = _nearest(x / aspect, lambda n: abs(aspect - x / n) if n else 0.0)
    return x, y


def _nearest(value: float, error: Callable[[int], float]) -> int:
    return max(min(floor(value), ceil(value), key=error), 1)
