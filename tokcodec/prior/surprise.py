"""How wrong the tables have been about this very picture: digits other than zero, counted, against
as many as they led to expect.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tokcodec.prior.maps import lg
from tokcodec.prior.relatives import Relatives, family_of
from tokcodec.prior.tables import ONE_BITS, PassTables
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Pass

# The features that it gives, in order: each a ratio of these counts, found to expected.
TOLD = ("even cells", "plane before", "so far", "sisters", "channels", "parent")
DOUBT = 4 << ONE_BITS  # four digits, added to both counts: a ratio of few digits tells little
MEMORY_BITS = 3  # of the count so far, an eighth is forgotten with every pass
_EVEN = np.int16(96)  # lg of a ratio of one


class Surprise:
    """Counts the digits other than zero of each pass, and those that the tables led to expect, in
    1/1024: `look` before the pass, and what came of it at the next `look`.
    """

    def __init__(self, known: Knowledge) -> None:
        self.known = known
        bands = len(known.order.bands)
        # Found and expected: of all passes so far, older ones counting less; then of each band's
        # latest plane, and of the plane before that.
        self._counts = np.zeros((*known.lead, 2, 1 + 2 * bands), np.int64)
        self._sums = _sums(family_of(known.order).relatives)
        self._plane = [-1] * bands
        self._asked: Pass | None = None
        self._found = np.zeros((*known.lead, 2), np.int64)  # of the pass asked for

    def look(self, step: Pass, rows: np.ndarray, tables: PassTables) -> np.ndarray:
        """The features `TOLD` of the digits of `step`: int16 (*lead, len(TOLD)). 0 is as many as
        expected; 32 more stand for twice as many.

        Args:
            rows: of `tables`, for each digit of the pass, (*lead, step.digits).
        """
        self._settle()
        if self._plane[step.band] < step.plane:
            self._plane[step.band] = step.plane
            self._counts[..., _before(step.band)] = self._counts[..., _now(step.band)]
            self._counts[..., _now(step.band)] = 0
        self._asked = step
        self._found[..., 1] = tables.unlikely.take(rows).sum(-1)
        sums = self._counts @ self._sums[step.band] + DOUBT
        told = lg(64 * sums[..., 0, :] // sums[..., 1, :])
        return 2 * (told - _EVEN)

    def _settle(self) -> None:
        """Count the digits of the pass looked at last, if they have come."""
        if self._asked is None or self.known.latest is None:
            return
        step, found = self.known.latest
        if step != self._asked:
            return
        self._found[..., 0] = found << ONE_BITS
        everything = self._counts[..., 0]
        everything -= everything >> MEMORY_BITS
        everything += self._found
        self._counts[..., _now(step.band)] += self._found
        self._asked = None


def _now(band: int) -> int:
    """Where the counts of a band's plane in progress are."""
    return 1 + 2 * band


def _before(band: int) -> int:
    """Where those of the plane before it are."""
    return 2 + 2 * band


@lru_cache(maxsize=16)
def _sums(family: tuple[Relatives, ...]) -> np.ndarray:
    """Which counts each feature is the sum of: 0 or 1, (bands, 1 + 2 bands, len(TOLD))."""
    out = np.zeros((len(family), 1 + 2 * len(family), len(TOLD)), np.int64)
    for i, near in enumerate(family):
        out[i, _now(i), 0] = out[i, _before(i), 1] = out[i, 0, 2] = 1
        for feature, group in enumerate((near.sisters, near.channels, (near.parent,)), 3):
            for other in (j for j in group if j >= 0):
                out[i, [_now(other), _before(other)], feature] = 1
    return out
