"""Pixels to the digits of a picture, in a model's order; its first digits to what they tell."""

from __future__ import annotations

import numpy as np

from tokcodec.model import Model
from tokcodec.pixels import colour
from tokcodec.pixels.image import is_grey
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Order, order_for
from tokcodec.tokens.quantiser import Source
from tokcodec.tokens.transform import analyse


def source_of(model: Model, rgb: np.ndarray) -> Source:
    """The digits of a picture, uint8 (height, width, 3); of its luma alone, if R = G = B."""
    grey = is_grey(rgb)
    order = order_for(model, rgb.shape[0], rgb.shape[1], 1 if grey else 3)
    return Source(order, analyse(colour.to_planes(rgb, grey)))


def known_of(order: Order, digits: np.ndarray) -> Knowledge:
    """What a picture's first digits in one row, int8 (n,), tell of it; those beyond all passes are
    left out.
    """
    known = Knowledge(order)
    for step, found in zip(order.passes, order.split(digits), strict=True):
        if not len(found):
            break
        known.add(step, found)
    return known
