"""The true digits of a picture to the squared error that is left after each of them."""

from __future__ import annotations

import numpy as np

from tokcodec.coder.codestring import Script
from tokcodec.tokens.quantiser import Source
from tokcodec.tokens.reconstruction import reconstruct

# Squared errors are summed as whole sixteenths: integers add up alike on every machine.
FRACTION = 16.0


class Curve:
    """Estimated squared error of the picture, in 8-bit RGB units squared, summed over all samples,
    by digits sent.

    Coefficient errors are added up as if the transform were orthonormal; the 9/7 bands nearly are,
    and `psnr.fewest_tokens` corrects the rest by looking.
    """

    def __init__(self, script: Script, source: Source) -> None:
        self.script, self.source, self.order = script, source, script.order
        self.start = sum(
            self._sum(np.square(c)) << b.area
            for c, b in zip(source.coefficients, self.order.bands, strict=True)
        )  # sixteenths
        # Of each pass, int64: sixteenths left after each digit.
        self._left: list[np.ndarray] = []
        self._q: dict[tuple[int, int], np.ndarray] = {}

    @staticmethod
    def _sum(squares: np.ndarray) -> int:
        return int(np.rint(squares.astype(np.float64) * FRACTION).astype(np.int64).sum())

    def error_after(self, digits: int) -> float:
        """Squared error after so many digits."""
        if digits == 0:
            return self.start / FRACTION
        at = 0
        for number, step in enumerate(self.order.passes):
            if digits <= at + step.digits:
                return float(self._pass(number)[digits - at - 1]) / FRACTION
            at += step.digits
        return float(self._pass(len(self.order.passes) - 1)[-1]) / FRACTION

    def digits_for(self, error: float) -> int | None:
        """The fewest digits after which at most `error` is left, or None."""
        if self.start / FRACTION <= error:
            return 0
        at = 0
        for number, step in enumerate(self.order.passes):
            left = self._pass(number)
            if left.min() <= error * FRACTION:
                return at + int(np.argmax(left <= error * FRACTION)) + 1
            at += step.digits
        return None

    def removed(self, number: int) -> np.ndarray:
        """Squared error that each digit of a pass and those before it in the pass remove."""
        before = int(self._pass(number - 1)[-1]) if number else self.start
        return (before - self._pass(number)) / FRACTION

    def _pass(self, number: int) -> np.ndarray:
        while len(self._left) <= number:
            step = self.order.passes[len(self._left)]
            band, model = self.order.bands[step.band], self.order.model
            digits = self.script.line(len(self._left)).digits
            cells = self.order.grid(step.band).passes[step.parity]
            truth = self.source.coefficients[step.band].ravel().take(cells)
            q = self._q.get((step.band, step.parity), np.zeros(len(cells), np.int32))
            before = (
                reconstruct(model, band, q, step.plane - 1) if step.plane else np.zeros_like(truth)
            )
            q = q * np.int32(3) + digits
            self._q[step.band, step.parity] = q
            after = reconstruct(model, band, q, step.plane)
            gain = np.square(truth - before).astype(np.float64) - np.square(truth - after)
            gains = np.rint(gain * FRACTION).astype(np.int64) << band.area
            start = int(self._left[-1][-1]) if self._left else self.start
            self._left.append(start - np.cumsum(gains))
        return self._left[number]
