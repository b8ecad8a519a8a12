"""How wrong the tables have been about this very picture: digits other than zero, counted, against
as many as they led to expect.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from tokcodec.model import TOTAL_BITS
from tokcodec.prior.knowledge import Knowledge
from tokcodec.prior.likely import Odds
from tokcodec.prior.maps import lg
from tokcodec.prior.surroundings import OTHERS, SISTERS
from tokcodec.tokens.layout import Band
from tokcodec.tokens.order import Pass

FEATURES = ("even cells", "plane before", "so far", "sisters", "channels", "parent")
ONE_BITS = 10  # digits are counted in 1/1024
DOUBT = 4 << ONE_BITS  # as many digits, as expected, are added to both counts
MEMORY_BITS = 3  # of the count so far, an eighth is forgotten with every pass
_EVEN = 96  # lg of a ratio of one


class Surprise:
    """Counts of every band; arrays are int64 (2, *lead): counted, expected."""

    def __init__(self, known: Knowledge) -> None:
        self.known = known
        bands = known.order.bands
        self._index = {(b.channel, b.level, b.orientation): i for i, b in enumerate(bands)}
        self._none = np.zeros((2, *known.lead), np.int64)
        self._now = [self._none] * len(bands)  # of the plane in progress, or the last
        self._before = [self._none] * len(bands)  # of the plane before that
        self._plane = [-1] * len(bands)
        self._all = self._none
        self._asked: tuple[Pass, np.ndarray] | None = None

    def look(self, step: Pass, rows: np.ndarray, tables: Odds) -> np.ndarray:
        """What the digits of `step` are told, by `FEATURES`: int16 (*lead, len(FEATURES)), 32 more
        where there was twice of what was expected.

        Args:
            rows: of `tables`, for each digit of the pass, (*lead, step.digits).
        """
        self._settle()
        band, i = self.known.order.bands[step.band], step.band
        if self._plane[i] < step.plane:
            self._plane[i] = step.plane
            self._before[i], self._now[i] = self._now[i], self._none
        others = (-1 if band.parent is None else band.parent,)
        counts = [
            self._now[i], self._before[i], self._all,
            self._sum(self._sisters(band)), self._sum(self._channels(band)), self._sum(others),
        ]  # fmt: skip
        unlikely = (1 << TOTAL_BITS) - tables.frequencies[:, 1] >> TOTAL_BITS - ONE_BITS
        due = np.broadcast_to(unlikely[rows].sum(-1), self.known.lead)
        self._asked = step, due
        counted, expected = np.stack(counts, -1)
        ratio = 64 * (counted + DOUBT) // (expected + DOUBT)
        return 2 * (lg(ratio) - np.int16(_EVEN))

    def _settle(self) -> None:
        """Count the digits of the pass looked at last, if they have come."""
        if self._asked is None or self.known.latest is None:
            return
        step, due = self._asked
        if self.known.latest[0] != step:
            return
        new = np.stack([self.known.latest[1].astype(np.int64) << ONE_BITS, due])
        self._now[step.band] = self._now[step.band] + new
        self._all = self._all - (self._all >> MEMORY_BITS) + new
        self._asked = None

    def _sisters(self, band: Band) -> Iterable[int]:
        """Bands of the same channel and level."""
        return (self._at(band.channel, band.level, o) for o in SISTERS[band.orientation])

    def _channels(self, band: Band) -> Iterable[int]:
        """The same band in other channels."""
        return (self._at(c, band.level, band.orientation) for c in OTHERS[band.channel])

    def _at(self, channel: int, level: int, orientation: int) -> int:
        return self._index.get((channel, level, orientation), -1)

    def _sum(self, bands: Iterable[int]) -> np.ndarray:
        """Over the last two planes of bands; -1 stands for one that does not exist."""
        return sum((self._now[i] + self._before[i] for i in bands if i >= 0), self._none)
