"""Results to keep, up to a number of bytes; the oldest go first."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """What `make` gave for each key, as long as `most` bytes hold it.

    Args:
        make: key to result; called again for a result that was dropped.
        size: result to bytes.
    """

    def __init__(self, make: Callable[..., T], size: Callable[[T], int], most: int) -> None:
        self._make, self._size, self._most = make, size, most
        self._kept: dict[Hashable, T] = {}
        self._bytes = 0

    def __call__(self, *key: Hashable) -> T:
        if key not in self._kept:
            result = self._make(*key)
            self._kept[key] = result
            self._bytes += self._size(result)
            while self._bytes > self._most and len(self._kept) > 1:
                self._bytes -= self._size(self._kept.pop(next(iter(self._kept))))
        return self._kept[key]
