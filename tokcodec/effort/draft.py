"""Digits chosen so far, to what the receiver would know by them and what they cost."""

from __future__ import annotations

import numpy as np

from tokcodec.effort.prices import Prices
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Order, Pass
from tokcodec.tokens.quantiser import Source
from tokcodec.tokens.reconstruction import dequantise
from tokcodec.tokens.transform import synthesise


class Draft:
    """The first digits of a picture, free to choose: `digits[n]` are those of pass n, int8; all
    passes are whole but the last.
    """

    def __init__(self, order: Order, digits: list[np.ndarray]) -> None:
        self.order, self.digits = order, digits

    @property
    def passes(self) -> list[Pass]:
        return self.order.passes[: len(self.digits)]

    @classmethod
    def split(cls, order: Order, digits: np.ndarray) -> Draft:
        """The first digits of a picture in one row, int8 (n,)."""
        return cls(order, [d for d in order.split(digits) if len(d)])

    @property
    def last_planes(self) -> list[int]:
        """The last plane begun of each band; -1 where there is none."""
        last = [-1] * len(self.order.bands)
        for step in self.passes:
            last[step.band] = step.plane
        return last

    @property
    def worth(self) -> float:
        """The squared error that the next bit takes off, as far as the order expects on average."""
        step, model = self.passes[-1], self.order.model
        b = self.order.bands[step.band]
        scores = (
            model.score(b.channel, b.level, b.orientation, plane, b.area)
            for plane in range(step.plane + 1)
        )
        return 2.0 ** (min(scores) / 256)

    def priced(self) -> tuple[Knowledge, list[np.ndarray]]:
        """What the receiver knows in the end; and of each pass what -1, 0 and +1 would have cost at
        each of its n digits, in bits, (n, 3).
        """
        known, asked = Knowledge(self.order), []
        prices = Prices(known)
        for step, digits in zip(self.passes, self.digits, strict=True):
            asked.append(prices.of(step)[: len(digits)])
            known.add(step, digits)
        return known, asked

    def same(self, other: Draft) -> bool:
        """Whether both hold the same digits."""
        return len(self.digits) == len(other.digits) and all(
            map(np.array_equal, self.digits, other.digits)
        )

    def known(self) -> Knowledge:
        """What the receiver knows in the end."""
        known = Knowledge(self.order)
        for step, digits in zip(self.passes, self.digits, strict=True):
            known.add(step, digits)
        return known


class Continued(Source):
    """A draft's digits, and then those that come nearest to the picture."""

    def __init__(self, draft: Draft, coefficients: list[np.ndarray]) -> None:
        super().__init__(draft.order, coefficients)
        self._chosen = dict(zip(draft.passes, draft.digits, strict=True))

    def digits(self, step: Pass) -> np.ndarray:
        """As in `Source`; what chosen digits leave wrong, later ones mend as far as they can."""
        rest = self.rest(step)
        unit = np.int32(3 ** (self.order.planes[step.band] - 1 - step.plane))
        digits = (np.sign(rest) * (np.abs(rest) > unit // 2)).astype(np.int8)
        chosen = self._chosen.get(step, digits[:0])
        digits[: len(chosen)] = chosen
        rest -= digits * unit
        return digits


def paid(asked: list[np.ndarray], digits: list[np.ndarray]) -> list[np.ndarray]:
    """The bits that each digit costs, (n,) a pass, out of the prices (n, 3) of all three."""
    return [
        p[np.arange(len(d)), d.astype(np.int64) + 1] for p, d in zip(asked, digits, strict=True)
    ]


def drawn(known: Knowledge) -> np.ndarray:
    """The planes (channels, height, width), float32, of the linear decoder, not rounded yet."""
    order = known.order
    each = len(order.bands) // order.channels
    return np.stack(
        [
            synthesise(
                [dequantise(known, c * each + i) for i in range(each)], order.height, order.width
            )
            for c in range(order.channels)
        ]
    )
