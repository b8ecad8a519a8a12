"""Datagrams taken off a socket while their receiver does something else: draws, for instance."""

from __future__ import annotations

import queue
from threading import Thread

from tokcodec.errors import LinkError
from tokcodec.link.receiver import FIXED
from tokcodec.transport.interface import TICK, End, limit
from tokcodec.transport.udp import Peer, UdpSource

MAX_WAITING = 1 << 26  # bytes that wait, with `FIXED` for the keeping of each datagram


class ReadAhead(End):
    """Reads a source in a thread of its own: systems keep a few hundred datagrams, then drop them.

    Attributes:
        missed: datagrams that came when `MAX_WAITING` bytes waited.
    """

    def __init__(self, source: UdpSource) -> None:
        self.missed = 0
        self._source, self._open = source, True
        self._came = self._gone = 0  # bytes: one is the thread's, the other its caller's
        self._arrived: queue.SimpleQueue[tuple[bytes, Peer] | LinkError] = queue.SimpleQueue()
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def receive_from(self, timeout: float | None = None) -> tuple[bytes, Peer] | None:
        """See `UdpSource.receive_from`."""
        try:
            found = self._arrived.get(timeout=limit(timeout))
        except queue.Empty:
            return None
        if isinstance(found, LinkError):
            raise found
        self._gone += len(found[0]) + FIXED
        return found

    def close(self) -> None:
        self._open = False
        self._thread.join()
        self._source.close()

    def _read(self) -> None:
        while self._open:
            try:
                found = self._source.receive_from(TICK)
            except LinkError as e:
                self._arrived.put(e)
                return
            if found is None:
                continue
            size = len(found[0]) + FIXED
            if self._came - self._gone + size > MAX_WAITING:
                self.missed += 1
                continue
            self._came += size
            self._arrived.put(found)
