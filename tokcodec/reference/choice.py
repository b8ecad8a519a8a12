"""A picture and its reference to the regions where it pays to take the reference away."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tokcodec.coder import codestring
from tokcodec.decoders.linear import linear
from tokcodec.psnr import squared_error
from tokcodec.reference.field import MAX_FIELD, Field
from tokcodec.reference.known import Reference, based
from tokcodec.reference.regions import cheapest, coarser, costs, finest
from tokcodec.tokens.order import Base, Order
from tokcodec.tokens.quantiser import Source

SIDES = 3  # sizes of regions that are tried, from the finest on
# A coefficient costs next to nothing below so many times the root mean squared error of a sample
NEGLIGIBLE = 5.5
MIN_ERROR = 1.0  # which counts as this at least: even complete streams have one

Code = Callable[[Source, bytes], bytes | None]  # the field's data in, the code string out


def choose(
    reference: Reference,
    order: Order,
    coefficients: Sequence[np.ndarray],
    rgb: np.ndarray,
    code: Code,
) -> tuple[Source, bytes]:
    """The way of coding in which the product of bytes and squared error is least: alone, or with
    the reference taken away in regions of one of `SIDES` sizes.

    Args:
        coefficients: of the picture, by band, as `transform.analyse` gives them.
        rgb: the picture, uint8 (height, width, 3).
        code: writes the picture within the caller's limits; None if the limits leave no room.

    Returns:
        The digits, and the data of the header's field: none if the picture had better stand alone.
    """

    def weighed(order: Order, field: bytes) -> tuple[float, float]:
        """Logarithm of bytes times error, and the error."""
        payload = code(taken(order, coefficients), field)
        if payload is None:
            return math.inf, math.inf
        known = codestring.read(order, payload).known
        error = squared_error(linear(known, (order.width, order.height)), rgb)
        return math.log(len(payload) + len(field) + 8) + math.log(error + 1), error

    best, error = weighed(order, b"")
    chosen, field = order, b""
    log_side, found = finest(order), None
    for number in range(SIDES):
        if found is None:
            step = NEGLIGIBLE * max(MIN_ERROR, math.sqrt(error / rgb.size))
            found = costs(order, coefficients, reference.values, step, log_side)
        else:
            found = coarser(found)
        tried = Field(reference.hash, log_side + number, cheapest(found))
        data = tried.data()
        if not tried.weights.any() or len(data) > MAX_FIELD:
            continue
        based_on = order.onto(based(reference, tried))
        score, _ = weighed(based_on, data)
        if score < best:
            best, chosen, field = score, based_on, data
    return taken(chosen, coefficients), field


def taken(order: Order, coefficients: Sequence[np.ndarray]) -> Source:
    """The digits of a picture less the base of its order, if that has one."""
    base: Base | None = order.base
    if base is None:
        return Source(order, list(coefficients))
    rest = []
    for i, (band, c) in enumerate(zip(order.bands, coefficients, strict=True)):
        last = np.float32(order.model.step(band.channel, order.planes[i] - 1))
        rest.append(c - base.values[i] * last)
    return Source(order, rest)
