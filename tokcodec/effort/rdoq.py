"""Coefficients to digits that are worth their bits, pass by pass, in coding order.

A digit is sent for what it takes off the squared error, and costs what the prior asks for it where
it stands. In the last plane of a coefficient before the cut nothing will mend a choice later, so
the three digits are weighed there: error plus `price` times bits (rate-distortion optimised
quantisation). In planes before, the nearest digit is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokcodec.effort.draft import Draft
from tokcodec.effort.prices import Prices
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Order, Pass
from tokcodec.tokens.reconstruction import reconstruct


def quantise(
    order: Order,
    coefficients: list[np.ndarray],
    weights: Sequence[np.ndarray],
    price: float,
    *,
    bits: float,
    count: int,
    last: list[int] | None = None,
    fixed: Draft | None = None,
) -> Draft:
    """The digits of a picture's passes until `bits` or `count` of them are spent.

    Args:
        coefficients: what the digits are to approach, by band.
        weights: squared error of the picture for one unit of squared error of a coefficient, by
            band (h, w).
        price: squared error that a bit must save.
        bits: ideal code length at most.
        count: digits at most.
        last: the last plane of each band before the cut; digits of earlier ones are the nearest.
            None: every plane counts as last.
        fixed: digits that are chosen already.
    """
    known, spent, out = Knowledge(order), 0.0, list[np.ndarray]()
    prices = Prices(known)
    for number, step in enumerate(order.passes):
        if count <= 0 or spent >= bits:
            break
        ready = fixed.digits[number] if fixed and number < len(fixed.digits) else None
        asked = prices.of(step)
        digits = np.zeros(0, np.int8) if ready is None else ready
        if len(digits) < step.digits:
            final = last is None or step.plane >= last[step.band]
            found = _weigh(
                known, step, coefficients[step.band], asked, weights[step.band],
                price if final else 0.0,
            )  # fmt: skip
            digits = np.concatenate([digits, found[len(digits) :]])
        digits = digits[:count]
        each = asked[np.arange(len(digits)), digits.astype(np.int64) + 1]
        running = spent + np.cumsum(each, dtype=np.float64)
        if running[-1] > bits:
            digits = digits[: int(np.searchsorted(running, bits, side="right"))]
        spent = float(running[-1])
        if len(digits):
            out.append(digits)
        count -= len(digits)
        known.add(step, digits)
    return Draft(order, out)


def _weigh(
    known: Knowledge,
    step: Pass,
    coefficients: np.ndarray,
    asked: np.ndarray,
    weights: np.ndarray,
    price: float,
) -> np.ndarray:
    """The digit of least cost at each place of a pass, int8."""
    order, places = known.order, known.order.places(step)
    at = order.grid(step.band).passes[step.parity]
    wanted, weights = coefficients.ravel().take(at), weights.ravel().take(at)
    q = known.begin(step)[places.cells]
    if not price:
        unit = np.float32(order.model.step(order.bands[step.band].channel, step.plane))
        return np.clip(np.rint(wanted / unit - q), -1, 1).astype(np.int8)
    costs = np.empty((3, len(q)), np.float32)
    for row, digit in enumerate((-1, 0, 1)):
        values = reconstruct(order.model, order.bands[step.band], q + np.int32(digit), step.plane)
        costs[row] = weights * np.square(wanted - values) + price * asked[:, row]
    return (np.argmin(costs, axis=0) - 1).astype(np.int8)
