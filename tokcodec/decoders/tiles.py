"""A picture through an enlarging network in tiles: bounded memory, and no seams."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

Span = tuple[int, int]  # first, last + 1


def enlarge(
    picture: np.ndarray,
    network: Callable[[np.ndarray], np.ndarray],
    factor: int,
    tile: int,
    overlap: int,
) -> np.ndarray:
    """`picture`, float32 (channels, height, width), `factor` times as large.

    Args:
        network: enlarges a tile, float32 (channels, h, w), to (channels, factor h, factor w).
        tile: the longest side of what the network is given.
        overlap: pixels that neighbouring tiles share; in the middle third of them one picture fades
            into the other. What is nearer to a tile's own edge was drawn without its surroundings.
    """
    channels, height, width = picture.shape
    out = np.zeros((channels, factor * height, factor * width), np.float32)
    for (top, bottom), down in tiles(height, tile, overlap, factor):
        for (left, right), across in tiles(width, tile, overlap, factor):
            drawn = network(picture[:, top:bottom, left:right])
            where = slice(factor * top, factor * bottom), slice(factor * left, factor * right)
            out[:, *where] += drawn * (down[:, None] * across)
    return out


def tiles(length: int, tile: int, overlap: int, factor: int) -> Iterator[tuple[Span, np.ndarray]]:
    """As few equal tiles along one axis as will do, and what each counts for: float32, one value a
    pixel drawn. Over every pixel the values sum to 1.
    """
    found = spans(length, tile, overlap)
    for i, (start, stop) in enumerate(found):
        counts = np.ones(factor * (stop - start), np.float32)
        if i:
            rise = _rise(factor * (found[i - 1][1] - start))
            counts[: len(rise)] = rise
        if i + 1 < len(found):
            rise = _rise(factor * (stop - found[i + 1][0]))
            counts[len(counts) - len(rise) :] = 1 - rise
        yield (start, stop), counts


def spans(length: int, tile: int, overlap: int) -> list[Span]:
    """The tiles' places: all of `length` is covered, neighbours share `overlap` or a few more."""
    if length <= tile:
        return [(0, length)]
    count = -(-(length - overlap) // (tile - overlap))
    side = -(-(length + (count - 1) * overlap) // count)
    starts = [i * (length - side) // (count - 1) for i in range(count)]
    return [(start, start + side) for start in starts]


def _rise(length: int) -> np.ndarray:
    """From 0 to 1 over the middle third of `length` pixels."""
    third = length / 3
    return np.clip((np.arange(length, dtype=np.float32) + 0.5 - third) / third, 0, 1)
