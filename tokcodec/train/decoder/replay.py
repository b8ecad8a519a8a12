"""Batches to the same batches again: what is dear to make is learnt from more than once."""

from __future__ import annotations

from typing import Generic, TypeVar

import torch

T = TypeVar("T")
FIRST = 8  # batches kept before any comes again


class Replay(Generic[T]):
    """Keeps the last `size` batches, and says when one of them should come again.

    After every new one `times` come again, drawn at random (experience replay, Lin, 1992), so that
    in a long run each is seen `times + 1` times on average, far apart.
    """

    def __init__(self, times: int, size: int) -> None:
        self.times, self.size = times, size
        self._kept: list[T] = []
        self._next = 0  # to be replaced
        self._owed = 0

    def again(self) -> T | None:
        """A batch from before, or None: it is time for a new one."""
        if not self._owed or len(self._kept) < min(FIRST, self.size):
            return None
        self._owed -= 1
        return self._kept[int(torch.randint(len(self._kept), ()))]

    def keep(self, batch: T) -> None:
        """Take in a new one; the oldest goes when there are too many."""
        if not self.times:
            return
        self._owed = self.times
        if len(self._kept) < self.size:
            self._kept.append(batch)
        else:
            self._kept[self._next] = batch
            self._next = (self._next + 1) % self.size
