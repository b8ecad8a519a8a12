"""What is known of a picture so far: the digits that both ends have."""

from __future__ import annotations

import numpy as np

from tokcodec.tokens.order import Order, Pass


class Knowledge:
    """The digits seen so far, as one integer a coefficient: q, in steps of the latest plane begun.

    When a plane begins, all q of its band are multiplied by 3; its digits are added as they come.
    Coefficients whose digit of that plane is still missing are `late`: multiplied, nothing added.

    Both ends of the link keep one: the encoder fills it with digits it sends, the decoder with
    digits it receives, so that both see the same neighbourhood. Arrays have the flat, bordered form
    of `Grid`; leading axes are allowed (training reads many pictures of one size at once).
    """

    def __init__(self, order: Order, lead: tuple[int, ...] = ()) -> None:
        self.order = order
        self.lead = lead
        self.q: dict[int, np.ndarray] = {}  # by band: int32 (*lead, grid.cells)
        self.plane = [-1] * len(order.bands)  # latest plane begun, by band
        self._seen = [0] * len(order.bands)  # how many digits of that plane are in
        self._lit: set[int] = set()  # bands that hold anything but zeros
        # The pass added last, and how many of its digits are not zero: int (*lead,).
        self.latest: tuple[Pass, np.ndarray | np.integer] | None = None

    def begin(self, step: Pass) -> np.ndarray:
        """Begin the plane of a pass, if its band has not done so: the band's q, flat and bordered,
        from then on in quantiser steps of that plane. It is the array itself, not a copy.
        """
        q = self.q.get(step.band)
        if q is None:
            cells = self.order.grid(step.band).cells
            q = self.q[step.band] = np.zeros((*self.lead, cells), np.int32)
        if self.plane[step.band] < step.plane:
            self.plane[step.band] = step.plane
            self._seen[step.band] = 0
            np.multiply(q, 3, out=q)
        return q

    def values(self, band: int) -> np.ndarray | None:
        """A band's q without border, int32 (*lead, height, width), in steps of the latest plane
        begun; those of `late` cells are 3 times their q of the plane before. None if no plane was
        begun.
        """
        q, b = self.q.get(band), self.order.bands[band]
        if q is None or self.plane[band] < 0:
            return None
        return q.reshape(*self.lead, b.height + 2, b.width + 2)[..., 1:-1, 1:-1]

    def late(self, band: int) -> np.ndarray:
        """The cells, y * width + x, int (n,), whose digit of the latest plane begun is missing, as
        the stream was cut before it.
        """
        b, seen = self.order.bands[band], self._seen[band]
        if seen == b.height * b.width:
            return np.zeros(0, np.int64)
        return np.concatenate(self.order.grid(band).passes)[seen:]

    def lit(self, band: int) -> bool:
        """Whether the band holds anything but zeros."""
        return band in self._lit

    def seen(self, band: int) -> int:
        """How many of the band's cells, in coding order, have their digit of the latest plane
        begun.
        """
        return self._seen[band]

    @property
    def complete(self) -> bool:
        """Whether every digit of the picture is in."""
        return all(
            self.plane[i] == planes - 1 and self._seen[i] == band.height * band.width
            for i, (band, planes) in enumerate(
                zip(self.order.bands, self.order.planes, strict=True)
            )
        )

    def add(self, step: Pass, digits: np.ndarray) -> None:
        """Take in the first digits of `step` (if some are missing, nothing may follow)."""
        q = self.begin(step)
        self._seen[step.band] += digits.shape[-1]
        axis = -1 if self.lead else None  # for one picture none: numpy counts much faster so
        found = np.count_nonzero(digits, axis)
        self.latest = step, found
        if np.count_nonzero(found):
            at = self.order.places(step).cells[: digits.shape[-1]]
            flat = digits.reshape(-1, len(at))
            for one, new in zip(q.reshape(len(flat), -1), flat, strict=True):
                one.put(at, one.take(at) + new)  # much faster than one[at] += new
            self._lit.add(step.band)
