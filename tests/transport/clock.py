"""A clock that goes as a test likes."""

from __future__ import annotations


class Clock:
    """Seconds as the test likes."""

    now = 0.0

    def __call__(self) -> float:
        return self.now
