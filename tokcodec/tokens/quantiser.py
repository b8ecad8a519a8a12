"""Coefficients to ternary digits."""

from __future__ import annotations

import numpy as np

from tokcodec.tokens.order import Order, Pass


class Source:
    """The true digits of a picture, computed band by band when first asked for. Each can be asked
    for once, in coding order; `coder.codestring.Script` remembers them.
    """

    def __init__(self, order: Order, coefficients: list[np.ndarray]) -> None:
        self.order = order
        self.coefficients = coefficients
        # By band and parity: what the digits so far leave, in steps of the band's finest plane.
        self._rest: dict[tuple[int, int], np.ndarray] = {}

    def digits(self, step: Pass) -> np.ndarray:
        """The digits of a pass, int8 (..., step.digits). Passes over a band must be asked for in
        order, once.
        """
        rest = self.rest(step)
        unit = np.int32(3 ** (self.order.planes[step.band] - 1 - step.plane))
        digits = np.sign(rest) * (np.abs(rest) > unit // 2)
        rest -= digits * unit
        return digits.astype(np.int8)

    def first(self, count: int) -> np.ndarray:
        """The first `count` digits of the picture, or all, int8 (n,), of which none was asked for
        yet.
        """
        found, left = [np.zeros(0, np.int8)], count
        for step in self.order.passes:
            if left <= 0:
                break
            found.append(self.digits(step)[:left])
            left -= len(found[-1])
        return np.concatenate(found)

    def rest(self, step: Pass) -> np.ndarray:
        """What the digits asked for so far leave of the coefficients of a pass, int32, in steps of
        the band's finest plane.
        """
        if (step.band, step.parity) not in self._rest:
            self._quantise(step.band)
        return self._rest[step.band, step.parity]

    def _quantise(self, band: int) -> None:
        model, planes = self.order.model, self.order.planes[band]
        channel = self.order.bands[band].channel
        q = quantise(self.coefficients[band], model.step(channel, planes - 1), planes)
        flat = q.reshape(*q.shape[:-2], -1)
        for parity, cells in enumerate(self.order.grid(band).passes):
            self._rest[band, parity] = flat.take(cells, axis=-1)


def quantise(coefficients: np.ndarray, step: float, planes: int) -> np.ndarray:
    """Nearest multiple of `step`, int32, within what `planes` ternary digits can say."""
    limit = np.float32((3**planes - 1) // 2)
    q = np.rint(coefficients / np.float32(step))
    return np.clip(q, -limit, limit).astype(np.int32)
