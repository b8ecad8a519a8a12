"""A limit in bytes to the qualities that just fit it, in few encodings."""

from __future__ import annotations

from collections.abc import Callable
from math import log

STEP = 4  # levels of the first stride upwards; each further one is twice as long
NEAR, FAR = 0.96, 12  # of the length, and levels: how far below a limit a better file may lie
HOPELESS = 1.25  # times the limit: from here on, no level nearby is expected to fit


class Ladder:
    """Levels of quality, 0 the lowest, of which only the length of the file is asked.

    Lengths are remembered, so that many limits share them. They mostly rise with the level, with
    small dips that `fitting` looks out for; a steep fall belongs between two ladders.
    """

    def __init__(self, levels: int, length: Callable[[int], int]) -> None:
        self._levels, self._length = levels, length
        self._known: dict[int, int] = {}

    def length(self, level: int) -> int:
        """Bytes of the file at this level."""
        if level not in self._known:
            self._known[level] = self._length(level)
        return self._known[level]

    def fitting(self, limit: int, above: int, below: int) -> list[int]:
        """The levels worth comparing under `limit` bytes, highest first; none where none fits.

        Args:
            above: how many levels over the last that fits are tried too, for files whose length
                dips.
            below: how many levels under it are given too, since the longest file that fits is not
                always the best; unless 0, more of them (FAR at most) as long as they are nearly of
                the same length, as in tiny files.
        """
        last = self._last(limit)
        first = max(0, last - below)
        while below and first > max(0, last - FAR):
            if self.length(first - 1) < NEAR * self.length(last):
                break
            first -= 1
        fits = list(range(first, last + 1))
        for level in range(last + 1, min(last + 1 + above, self._levels)):
            if self.length(level) <= limit:
                fits.append(level)
            elif self.length(level) > HOPELESS * limit:
                break
        return [level for level in reversed(fits) if self.length(level) <= limit]

    def shortest(self, above: int) -> int:
        """Bytes of the shortest file among the lowest level and the `above` next."""
        return min(self.length(level) for level in range(min(1 + above, self._levels)))

    def _last(self, limit: int) -> int:
        """A level that fits below one that does not: the highest, if lengths rise; -1 for none."""
        if self.length(0) > limit:
            return -1
        high = min((i for i, n in self._known.items() if n > limit), default=self._levels)
        low = max(i for i, n in self._known.items() if n <= limit and i < high)
        if high == self._levels:  # upwards in growing strides: the best levels cost most time
            stride = STEP
            while low < self._levels - 1:
                level = min(low + stride, self._levels - 1)
                if self.length(level) > limit:
                    high = level
                    break
                low, stride = level, 2 * stride
        interpolate = True
        while high - low > 1:  # by the logarithm of the length, nearly straight, and by halves
            level = (low + high) // 2
            if interpolate and high < self._levels:
                start, end = log(self.length(low)), log(self.length(high))
                level = low + round((high - low) * (log(limit) - start) / (end - start))
                level = min(max(level, low + 1), high - 1)
            interpolate = not interpolate
            if self.length(level) <= limit:
                low = level
            else:
                high = level
        return low
