"""Bands drawn to the nearest ones that the stream could have come from.

What was received of a coefficient says in which interval it lies. A network may forget that, most
of all on pictures unlike any that it learnt from; here every coefficient that has left its interval
is put back to its end, so that what is drawn has the same digits, until its pixels are rounded. The
set of such planes is convex and holds the original: as the 9/7 bands are nearly orthonormal, going
there does not lead away from it.
"""

from __future__ import annotations

import numpy as np

from tokcodec.tokens.knowledge import Knowledge


def consistent(bands: list[np.ndarray], known: Knowledge, channels: range) -> list[np.ndarray]:
    """The bands of some channels, each float32 (channels, h, w), coarsest first, with every
    coefficient put into its interval, in place: one step of projection onto convex sets (Youla and
    Webb, 1982).
    """
    each = len(known.order.bands) // known.order.channels
    for i, band in enumerate(bands):
        for c, coefficients in zip(channels, band, strict=True):
            if found := interval(known, c * each + i):
                middle, half = found
                np.clip(coefficients, middle - half, middle + half, out=coefficients)
    return bands


def interval(known: Knowledge, band: int) -> tuple[np.ndarray, np.ndarray | np.float32] | None:
    """Middles (height, width) and half widths of a band's intervals; None if nothing is known."""
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
        return middle, step / 2
    half = np.full(b.height * b.width, step / 2, np.float32)
    half[late] = 3 * step / 2 if plane else np.inf
    return middle, half.reshape(middle.shape)


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
