"""The inverse transform of the coefficients' centroids, nothing else; numpy only."""

from __future__ import annotations

import numpy as np

from tokcodec.pixels.colour import to_rgb
from tokcodec.tokens import wavelet
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Order
from tokcodec.tokens.reconstruction import dequantise
from tokcodec.tokens.transform import SMALL, synthesise

MARGIN = 2


def reduced(order: Order, size: tuple[int, int]) -> int:
    """How many levels may stay out for a picture of `size` (width, height): the smallest low band
    that is still `MARGIN` times as large will do.
    """
    depth = len(wavelet.levels(order.height, order.width))
    skip = 0
    while skip < depth:
        h, w = wavelet.low_size(order.height, order.width, skip + 1)
        if h < min(order.height, MARGIN * size[1]) or w < min(order.width, MARGIN * size[0]):
            break
        skip += 1
    return skip


def together(order: Order) -> list[range]:
    """Channels to transform at a time: all of a small picture, which is faster, or one after
    another, which takes less memory.
    """
    if order.height * order.width <= SMALL:
        return [range(order.channels)]
    return [range(c, c + 1) for c in range(order.channels)]


def linear(known: Knowledge, size: tuple[int, int]) -> np.ndarray:
    """Pixels, uint8 (height, width, 3): the whole picture, or for a `size` (width, height) well
    below it a low band that is still larger, to be scaled down by a good filter.
    """
    order = known.order
    depth, skip = len(wavelet.levels(order.height, order.width)), reduced(order, size)
    each = len(order.bands) // order.channels
    kept = [i for i in range(each) if order.bands[i].level <= depth - skip]
    planes: list[np.ndarray] = []
    for group in together(order):
        stacked = [np.stack([dequantise(known, c * each + i) for c in group]) for i in kept]
        planes += [*synthesise(stacked, order.height, order.width, skip)]
    return to_rgb(planes)
