"""What is known of a picture so far: the digits that both ends have."""

from __future__ import annotations

import numpy as np

from tokcodec.tokens.order import Order, Pass


class Knowledge:
    """The digits seen so far, as one integer a coefficient: q, in steps of the last plane seen.

    Both ends of the link keep one: the encoder fills it with digits it sends, the decoder with
    digits it receives, so that both see the same neighbourhood. Arrays have the flat, bordered form
    of `Grid`; leading axes are allowed (training reads many pictures of one size at once).
    """

    def __init__(self, order: Order, lead: tuple[int, ...] = ()) -> None:
        self.order = order
        self.lead = lead
        self.q: dict[int, np.ndarray] = {}  # by band: int32 (*lead, grid.cells)
        self.plane = [-1] * len(order.bands)  # last plane begun
        self._seen = [0] * len(order.bands)  # digits of that plane that are in
        self._lit: set[int] = set()  # bands that hold anything but zeros
        # The pass added last, and how many of its digits are not zero: int (*lead,).
        self.latest: tuple[Pass, np.ndarray | np.integer] | None = None

    def begin(self, step: Pass) -> np.ndarray:
        """The band's coefficients, in steps of the plane of `step`."""
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
        """A band's coefficients without border, int32 (*lead, height, width), in steps of its last
        plane; those of `late` are one plane behind. None if none was begun.
        """
        q, b = self.q.get(band), self.order.bands[band]
        if q is None or self.plane[band] < 0:
            return None
        return q.reshape(*self.lead, b.height + 2, b.width + 2)[..., 1:-1, 1:-1]

    def late(self, band: int) -> np.ndarray:
        """Flat places, int (n,), of the coefficients that a cut leaves at the plane before."""
        b, seen = self.order.bands[band], self._seen[band]
        if seen == b.height * b.width:
            return np.zeros(0, np.int64)
        return np.concatenate(self.order.grid(band).passes)[seen:]

    def lit(self, band: int) -> bool:
        """Whether the band holds anything but zeros."""
        return band in self._lit

    def seen(self, band: int) -> int:
        """How many coefficients of the band have their digit of the last plane begun, in coding
        order.
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
