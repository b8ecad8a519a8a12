"""What was received of a picture to the weight of the network's correction, 0..1.

The network makes a small error on every picture. Where much of a photograph is missing that does
not matter; on a picture that is nearly perfect already, such as a plain gradient, it would be the
larger error of the two. So the weight falls to 0 as the error that is expected of the linear
inverse becomes too small to see.

That error is estimated from the digits received. Each band's coefficients are modelled as
Laplacian, with the scale at which the share of non-zero ones is the share that was found; a band of
which nothing was received is modelled as somewhat narrower than the coarser band. For photographs
at 24 to 46 dB the estimate is within 4 dB, and rather too large than too small.
"""

from __future__ import annotations

import numpy as np

from tokcodec.decoders.consistent import found_in
from tokcodec.decoders.received import CHANNELS
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Order
from tokcodec.tokens.reconstruction import planes_known

WHOLE, NONE = 34.0, 42.0  # PSNR expected, dB: up to here it counts in full, from here on not at all
FINER = 0.7  # details' size on a level to that on the coarser one, as in photographs
UNKNOWN = 1e6  # step of a band of which nothing was received


def share(known: Knowledge) -> float:
    """The weight of the correction for one picture, 0..1."""
    order = known.order
    planes = np.array([[planes_known(known, i) for i in range(len(order.bands))]])
    lit, mean = np.zeros_like(planes), np.zeros_like(planes)
    for i, b in enumerate(order.bands):
        if known.lit(i) or order.base is not None:
            found = np.abs(found_in(known, i))
            lit[0, i] = np.count_nonzero(found) / (b.height * b.width)
            mean[0, i] = found.sum() / (b.height * b.width)
    return float(shares(order, planes, lit, mean)[0])


def shares(order: Order, planes: np.ndarray, lit: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The weights for B pictures, (B,); the arguments are those of `expected_error`."""
    error = np.maximum(expected_error(order, planes, lit, mean), np.finfo(np.float32).tiny)
    decibels = 10 * np.log10(255**2 / np.minimum(error, 255**2))
    return np.clip((NONE - decibels) / (NONE - WHOLE), 0, 1)


def expected_error(
    order: Order, planes: np.ndarray, lit: np.ndarray, mean: np.ndarray
) -> np.ndarray:
    """The expected mean squared error of the linear inverse, over pixels and R, G, B: (B,).

    Args:
        planes: digit planes received of each band, the last counted in part: (B, bands).
        lit: share of each band's coefficients that are not zero: (B, bands), 0..1.
        mean: mean magnitude of each band's coefficients: (B, bands).
    """
    model, bands = order.model, order.bands
    counts = np.array([b.height * b.width for b in bands])
    first = np.array([model.step(b.channel, 0) for b in bands])
    step = np.where(planes == 0, UNKNOWN, first * 3.0 ** (1 - planes))
    # P(|x| > step / 2) = exp(-step / 2 / scale) is set to the share that is not zero.
    rarity = np.log((counts + 1) / (counts * lit + 0.5))  # above 0
    scale = step / 2 / rarity
    width = np.zeros_like(scale)
    widest: dict[tuple[int, int], np.ndarray] = {}  # by channel and level
    for i, b in enumerate(bands):
        if b.parent is not None:
            coarser = width[:, b.parent]
        else:  # the first level split along an axis; the low band has nothing coarser
            coarser = widest.get((b.channel, b.level - 1), scale[:, i])
        scale[:, i] = np.minimum(scale[:, i], FINER * coarser)
        width[:, i] = mean[:, i] + (1 - lit[:, i]) * scale[:, i]
        here = widest.get((b.channel, b.level), width[:, i])
        widest[b.channel, b.level] = np.maximum(here, width[:, i])
    rounding = step**2 / 12
    each = lit * rounding + (1 - lit) * np.minimum(2 * scale**2, rounding)
    areas = counts * 2.0 ** np.array([b.area for b in bands])
    return each @ (areas / (order.height * order.width * CHANNELS))
