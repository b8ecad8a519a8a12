"""The inverse transform of the coefficients' centroids, nothing else; numpy only."""

from __future__ import annotations

import numpy as np

from tokcodec.pixels.colour import to_rgb
from tokcodec.prior.context import Knowledge
from tokcodec.tokens import wavelet
from tokcodec.tokens.pyramid import dequantise, synthesise


def linear(known: Knowledge, size: tuple[int, int]) -> np.ndarray:
    """Pixels, uint8 (height, width, 3): the whole picture, or the smallest low band that covers
    `size` (width, height).
    """
    order = known.order
    depth = len(wavelet.levels(order.height, order.width))
    skip = 0
    while skip < depth:
        h, w = wavelet.low_size(order.height, order.width, skip + 1)
        if h < size[1] or w < size[0]:
            break
        skip += 1
    per_channel = len(order.bands) // order.channels
    planes = []
    for channel in range(order.channels):
        chosen = [
            i
            for i in range(channel * per_channel, (channel + 1) * per_channel)
            if order.bands[i].level <= depth - skip
        ]
        planes.append(
            synthesise([dequantise(known, i) for i in chosen], order.height, order.width, skip)
        )
    return to_rgb(planes)
