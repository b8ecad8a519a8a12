"""How far each band was received to the numbers that tell the neural decoder so."""

from __future__ import annotations

import math

import numpy as np

from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.layout import LOW
from tokcodec.tokens.order import Order
from tokcodec.tokens.reconstruction import planes_known

CHANNELS = 3
KNOWN_SCALES = 8  # resolutions, finest first, whose share received is told
EACH = 1 + 3 * KNOWN_SCALES  # numbers of a channel: its low band, then resolutions by direction
RECEIVED = CHANNELS * EACH


def received(order: Order, planes: np.ndarray) -> np.ndarray:
    """What is known of each band to the network's condition.

    Args:
        planes: (B, bands), float32: planes received, with the share of the last as a fraction.

    Returns:
        (B, RECEIVED): minus the logarithm (base 3) of the step that is left, over 4, less 1: for
        each channel that of the low band, then by resolution, finest first, and direction. A band
        that the picture does not have is told as the low band; the chromas that a grey picture does
        not have as the luma.
    """
    source, weight, bias = telling(order)
    return planes[:, source] * weight + bias


def received_planes(known: Knowledge) -> np.ndarray:
    """`received` for one picture: (1, RECEIVED)."""
    planes = [planes_known(known, i) for i in range(len(known.order.bands))]
    return received(known.order, np.array([planes], np.float32))


def telling(order: Order) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`received` in three arrays (RECEIVED,), for torch to do the same in training: the band that
    each number tells of (int64), by what to multiply its planes, and what to add (float32).
    """
    source = np.zeros(RECEIVED, np.int64)
    weight = np.zeros(RECEIVED, np.float32)
    bias = np.zeros(RECEIVED, np.float32)
    for c in range(order.channels):
        columns = slice(c * EACH, (c + 1) * EACH)
        low = next(i for i, b in enumerate(order.bands) if b.channel == c and b.orientation == LOW)
        top = math.log(2 * int(order.model.arrays["tops"][c]) / 256, 3)
        source[columns], weight[columns], bias[columns] = low, 1 / 4, -top / 4 - 1
    for band, column in _columns(order):
        source[column] = band
    if order.channels == 1:
        luma = np.tile(np.arange(EACH), CHANNELS)
        source, weight, bias = source[luma], weight[luma], bias[luma]
    return source, weight, bias


def _columns(order: Order) -> list[tuple[int, int]]:
    """(band, column) for each band with details that the condition tells of."""
    depth = max(b.level for b in order.bands)
    return [
        (i, b.channel * EACH + 1 + 3 * (depth - b.level) + b.orientation - 1)
        for i, b in enumerate(order.bands)
        if b.orientation != LOW and depth - b.level < KNOWN_SCALES
    ]
