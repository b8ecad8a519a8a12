"""What every transport has: a place to put bytes, and one that bytes come from."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from queue import Empty, Queue
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
TICK = 0.2  # seconds after which an iteration notices that its source was closed
MAX_WAIT = 2e6  # seconds, 23 days: systems take no longer waits, so these have no limit


class End(ABC):
    """One end of a wire; `with` closes it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Let go of the connection; harmless when done twice."""


class Sink(End):
    """Where bytes go."""

    @abstractmethod
    def send(self, data: bytes, timeout: float | None = None) -> None:
        """Hand over one message or packet; returns when the transport has taken charge of it.

        Args:
            data: what to send.
            timeout: seconds to wait; None, or infinity, for as long as it takes. The same data sent
                again after a timeout is the same attempt, not a second one.

        Raises:
            ArgumentError: it is larger than what can be sent this way.
            LinkError: it was not taken within `timeout`, or never will be.
        """


class Source(End):
    """Where bytes come from.

    Attributes:
        topic: that the message came on which `receive` gave last, or its key; empty where a
            transport has none.
    """

    topic = ""
    _open = True

    def __iter__(self) -> Iterator[bytes]:
        """Messages or packets, as they come, until the source is closed. One counts as dealt with
        when the next is asked for. Raises as `receive`.
        """
        while self._open:
            found = self.receive(TICK)
            if found is not None:
                yield found

    @abstractmethod
    def receive(self, timeout: float | None = None) -> bytes | None:
        """The next message or packet; None after `timeout` seconds without any, or when closed.

        Args:
            timeout: seconds to wait, at most; 0 or less for what is here already; None, or
                infinity, for as long as it takes.

        Raises:
            LinkError: nothing can be received any more.
        """

    def wait(self, timeout: float | None = None) -> None:
        """Until what is sent can arrive here; at once, where nobody tells.

        Raises:
            LinkError: it cannot yet, after `timeout` seconds.
        """

    def _wait(self, arrived: Queue[T], until: float | None) -> T | None:
        """The next that another thread puts there; None if none has come `until` then, or when
        closed.
        """
        while self._open:
            left = TICK if until is None else until - time.monotonic()
            try:
                return arrived.get(timeout=max(0.0, min(left, TICK)))
            except Empty:
                if until is not None and time.monotonic() >= until:
                    return None
        return None


def limit(timeout: float | None) -> float | None:
    """Seconds that a wait may take, as systems understand them; None for no limit."""
    return None if timeout is None or timeout > MAX_WAIT else max(0.0, timeout)


def until_after(timeout: float | None) -> float | None:
    """The moment, of `time.monotonic`, in so many seconds; None for never."""
    seconds = limit(timeout)
    return None if seconds is None else time.monotonic() + seconds
