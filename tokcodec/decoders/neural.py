"""What is known of a picture to pixels by a trained network: the linear inverse, corrected."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tokcodec.decoders.blend import share
from tokcodec.decoders.consistent import consistent
from tokcodec.decoders.linear import linear, reduced, together
from tokcodec.decoders.received import CHANNELS, received_planes
from tokcodec.decoders.runtime import Runtime
from tokcodec.decoders.steps import Step, climb, merge, orientations
from tokcodec.decoders.strips import Strip, correction
from tokcodec.pixels.colour import to_rgb
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.reconstruction import dequantise
from tokcodec.tokens.transform import split_all, synthesise

STRIP = 1 << 18  # half-size pixels worked out at a time


def neural(
    known: Knowledge,
    size: tuple[int, int],
    runtime: Runtime,
    realism: float = 0.0,
    strip: int = STRIP,
) -> np.ndarray:
    """Pixels, uint8 (height, width, 3), of the whole picture, or of a low band of the linear
    inverse if `size` (width, height) is so small that scaling down hides what would be corrected.
    Nothing is corrected, either, where the stream is complete or nearly so (see `blend`), or tells
    nothing of the picture yet: that one is flat.
    """
    order = known.order
    said = known.q or order.base is not None
    corrected = len(order.bands) > order.channels and said and not known.complete
    weight = share(known) if corrected and not reduced(order, size) else 0.0
    if not weight:
        return linear(known, size)
    steps = climb(_bands(known), order.height, order.width, merge)
    rows = -(-strip // steps[-1].low.shape[-1])
    strips = correction(runtime, steps, received_planes(known), realism, rows)
    low, details = _corrected(steps[-1], strips, np.float32(weight))
    planes: list[np.ndarray] = []
    for group in together(order):
        drawn = [*split_all(low[0, group]), *(details[o][0, group] for o in sorted(details))]
        planes += [*synthesise(consistent(drawn, known, group), order.height, order.width)]
    return to_rgb(planes)


def _bands(known: Knowledge) -> list[np.ndarray]:
    """The coefficients that are known, a band each, (1, CHANNELS, h, w), coarsest first; zeros for
    the chromas of a grey picture.
    """
    order, bands = known.order, []
    each = len(order.bands) // order.channels
    for i in range(each):
        channels = [dequantise(known, c * each + i) for c in range(order.channels)]
        channels += [np.zeros_like(channels[0])] * (CHANNELS - order.channels)
        bands.append(np.stack(channels)[None])
    return bands


def _corrected(
    finest: Step[np.ndarray], strips: Iterable[Strip], share: np.float32
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """The low band and the details of the finest step with `share` of the correction added."""
    low = finest.low.copy()  # the next strip still reads the uncorrected rows around it
    details = {o: d.copy() for o, d in finest.details.items()}
    for top, bottom, part in strips:
        part *= share
        low[..., top:bottom, :] += part[:, :CHANNELS]
        for o in orientations(finest.level):
            rows = details[o][..., top:bottom, :]
            found = part[:, CHANNELS * o : CHANNELS * (o + 1)]
            rows += found[..., : rows.shape[-2], : rows.shape[-1]]
    return low, details
