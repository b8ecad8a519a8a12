"""How wrong the tables have been about this very picture: digits other than zero, counted, against
as many as they led to expect.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    """Counts, int64 (1 + 2 bands, 2, *lead), each counted and expected: of all so far; of each
    band's plane in progress, or the last; of each band's plane before that.
    """

    def __init__(self, known: Knowledge) -> None:
        self.known = known
        bands = known.order.bands
        self._counts = np.zeros((1 + 2 * len(bands), 2, *known.lead), np.int64)
        self._sums = _sums(bands)
        self._plane = [-1] * len(bands)
        self._asked: tuple[Pass, np.ndarray] | None = None

    def look(self, step: Pass, rows: np.ndarray, tables: Odds) -> np.ndarray:
        """What the digits of `step` are told, by `FEATURES`: int16 (*lead, len(FEATURES)), 32 more
        where there was twice of what was expected.

        Args:
            rows: of `tables`, for each digit of the pass, (*lead, step.digits).
        """
        self._settle()
        if self._plane[step.band] < step.plane:
            self._plane[step.band] = step.plane
            self._counts[_before(step.band)] = self._counts[_now(step.band)]
            self._counts[_now(step.band)] = 0
        unlikely = (1 << TOTAL_BITS) - tables.frequencies[:, 1] >> TOTAL_BITS - ONE_BITS
        self._asked = step, unlikely.take(rows).sum(-1)
        sums = self._sums[step.band] @ self._counts.reshape(len(self._counts), -1) + DOUBT
        counted, expected = sums.reshape(len(FEATURES), 2, *self.known.lead).swapaxes(0, 1)
        told = 2 * (lg(64 * counted // expected) - np.int16(_EVEN))
        return np.moveaxis(told, 0, -1)

    def _settle(self) -> None:
        """Count the digits of the pass looked at last, if they have come."""
        if self._asked is None or self.known.latest is None:
            return
        step, due = self._asked
        if self.known.latest[0] != step:
            return
        everything, band = self._counts[0], self._counts[_now(step.band)]
        everything -= everything >> MEMORY_BITS
        for count in (everything, band):
            count[0] += self.known.latest[1] << ONE_BITS
            count[1] += due
        self._asked = None


def _now(band: int) -> int:
    """Where the counts of a band's plane in progress are."""
    return 1 + 2 * band


def _before(band: int) -> int:
    """Where those of the plane before it are."""
    return 2 + 2 * band


def _sums(bands: Sequence[Band]) -> np.ndarray:
    """Which counts each feature is the sum of: 0 or 1, (bands, len(FEATURES), 1 + 2 bands)."""
    index = {(b.channel, b.level, b.orientation): i for i, b in enumerate(bands)}
    out = np.zeros((len(bands), len(FEATURES), 1 + 2 * len(bands)), np.int64)
    for i, b in enumerate(bands):
        sisters = [index.get((b.channel, b.level, o), -1) for o in SISTERS[b.orientation]]
        channels = [index.get((c, b.level, b.orientation), -1) for c in OTHERS[b.channel]]
        out[i, 0, _now(i)] = out[i, 1, _before(i)] = out[i, 2, 0] = 1
        parents = [-1 if b.parent is None else b.parent]
        for feature, group in enumerate((sisters, channels, parents), 3):
            for other in (j for j in group if j >= 0):
                out[i, feature, [_now(other), _before(other)]] = 1
    return out
