"""A plane drawn to the nearest one that the stream could have come from.

What was received of a coefficient says in which interval it lies. A network may forget that, most
of all on pictures unlike any that it learnt from; here every coefficient that has left its interval
is put back to its end, so that encoding what was drawn gives the same digits again. The set of such
planes is convex and holds the original: as the 9/7 bands are nearly orthonormal, going there does
not lead away from it.
"""

from __future__ import annotations

import numpy as np

from tokcodec.prior.knowledge import Knowledge
from tokcodec.tokens.pyramid import analyse, synthesise


def consistent(plane: np.ndarray, known: Knowledge, channel: int) -> np.ndarray:
    """A plane, float32 (height, width), of a channel (0..2), each coefficient in its interval:
    one step of projection onto convex sets (Youla and Webb, 1982).
    """
    order = known.order
    each = len(order.bands) // order.channels
    bands = analyse(plane[None])
    for i, coefficients in enumerate(bands):
        if found := interval(known, channel * each + i):
            middle, half = found
            bands[i] = np.clip(coefficients, middle - half, middle + half)
    return synthesise(bands, order.height, order.width)


def interval(known: Knowledge, band: int) -> tuple[np.ndarray, np.ndarray | np.float32] | None:
    """Middles (height, width) and half widths of a band's intervals; None if nothing is known."""
    order, q, plane = known.order, known.q.get(band), known.plane[band]
    if q is None or plane < 0:
        return None
    b = order.bands[band]
    step = np.float32(order.model.step(b.channel, plane))
    middle = q.reshape(b.height + 2, b.width + 2)[1:-1, 1:-1] * step
    if order.base is not None:
        last = np.float32(order.model.step(b.channel, order.planes[band] - 1))
        middle += order.base.values[band] * last
    seen = known.seen(band)
    if seen == b.height * b.width:
        return middle, step / 2
    half = np.full(b.height * b.width, step / 2, np.float32)
    late = np.concatenate(order.grid(band).passes)[seen:]  # one plane behind, or not begun
    half[late] = 3 * step / 2 if plane else np.inf
    return middle, half.reshape(middle.shape)
