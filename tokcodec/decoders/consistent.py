"""Bands that a network drew to the nearest bands with the digits that were received.

The digits received of a coefficient confine it to an interval. A network may leave it, most of all
on pictures unlike those it was trained on; here each coefficient that did is clipped to the nearer
end. So what is drawn has the digits that were received, until its pixels are rounded. The planes
with these digits form a convex set that contains the original, and the 9/7 bands are nearly
orthonormal, so projecting onto it does not lead away from the original.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tokcodec.tokens.knowledge import Knowledge


class Interval(NamedTuple):
    """Where the coefficients of a band lie: within `half` of `middle`, (height, width).

    `half` is one number where all of them are known to the same digit plane, and infinite where
    nothing is known.
    """

    middle: np.ndarray
    half: np.ndarray | np.float32


def consistent(bands: list[np.ndarray], known: Knowledge, channels: range) -> list[np.ndarray]:
    """The bands of some channels, each float32 (channels, h, w), coarsest first, with every
    coefficient put into its interval, in place: one step of projection onto convex sets (Youla and
    Webb, 1982).
    """
    each = len(known.order.bands) // known.order.channels
    for i, band in enumerate(bands):
        for c, coefficients in zip(channels, band, strict=True):
            if found := interval(known, c * each + i):
                low, high = found.middle - found.half, found.middle + found.half
                np.clip(coefficients, low, high, out=coefficients)
    return bands


def interval(known: Knowledge, band: int) -> Interval | None:
    """The intervals of a band's coefficients; None if nothing is known of any."""
    order, values, plane = known.order, known.values(band), known.plane[band]
    if values is None:
        return None
    b = order.bands[band]
    step = np.float32(order.model.step(b.channel, plane))
    middle = values * step
    if order.base is not None:
        last = np.float32(order.model.step(b.channel, order.planes[band] - 1))
        middle += order.base.values[band] * last
    late = known.late(band)
    if not len(late):
        return Interval(middle, step / 2)
    half = np.full(b.height * b.width, step / 2, np.float32)
    half[late] = 3 * step / 2 if plane else np.inf
    return Interval(middle, half.reshape(middle.shape))


def found_in(known: Knowledge, band: int) -> np.ndarray:
    """A band's coefficients, (height, width), in the middle of what they were found to be."""
    order, b = known.order, known.order.bands[band]
    found = np.zeros((b.height, b.width), np.float32)
    values = known.values(band)
    if values is not None and known.lit(band):
        found += values * np.float32(order.model.step(b.channel, known.plane[band]))
    if order.base is not None:
        last = order.model.step(b.channel, order.planes[band] - 1)
        found += order.base.values[band] * np.float32(last)
    return found
