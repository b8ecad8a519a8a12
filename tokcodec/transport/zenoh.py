"""Messages from peer to peer, or through routers, with Eclipse Zenoh.

Zenoh keeps nothing: what is sent while nobody listens is gone. A sink therefore waits for a
listener, and holds back when that one is slow.
"""

from __future__ import annotations

import json
import queue
import time
from threading import Thread
from typing import Any

from tokcodec.errors import ArgumentError, LinkError
from tokcodec.transport.address import Address
from tokcodec.transport.interface import TICK, Sink, Source, until_after

MAX_WAITING = 64  # messages; then the sender is held back
LONG = str(10**12)  # microseconds: eleven days
LOOK = 0.02  # seconds between two looks whether somebody listens


class _Attempt:
    """A message on its way in a thread of its own: a link that is congested holds Zenoh's `put` for
    as long as it likes, and nothing calls that back.

    Attributes:
        data: the message.
        error: why it will never be taken, if so.
    """

    def __init__(self, publisher: Any, data: bytes) -> None:
        self.data = data
        self.error: Exception | None = None
        self._thread = Thread(target=self._put, args=(publisher,), daemon=True)
        self._thread.start()

    def done(self, until: float | None) -> bool:
        """Whether it is over, which is waited for `until` then."""
        self._thread.join(None if until is None else max(0.0, until - time.monotonic()))
        return not self._thread.is_alive()

    def _put(self, publisher: Any) -> None:
        try:
            publisher.put(self.data)
        except Exception as e:
            self.error = e


class ZenohSink(Sink):
    """Publishes at a key expression.

    What a slow listener has not taken within its `timeout` is still on its way: Zenoh takes nothing
    back. Messages that follow wait for it; closed, the sink waits no longer.

    Args:
        address: of a peer or router that listens, its path the key; without a host peers find each
            other (multicast).

    Raises:
        ArgumentError: eclipse-zenoh is missing; no such key.
        LinkError: there can be no such address. (One where nobody is yet is tried again and again.)
    """

    def __init__(self, address: Address) -> None:
        self._address = address
        self._attempt: _Attempt | None = None
        zenoh, self._session = _open(address, listen=False)
        try:
            self._publisher = self._session.declare_publisher(
                address.path,
                congestion_control=zenoh.CongestionControl.BLOCK,
                reliability=zenoh.Reliability.RELIABLE,
            )
        except zenoh.ZError as e:
            self._session.close()
            raise ArgumentError(f"{address}: {_first(e)}") from e

    def send(self, data: bytes, timeout: float | None = None) -> None:
        until = until_after(timeout)
        if self._attempt is not None and self._attempt.data != data:
            self._end(self._attempt, until)  # well or not, it was told as not taken
        if self._attempt is None:
            self._wait_for_listener(until)
            self._attempt = _Attempt(self._publisher, data)
        error = self._end(self._attempt, until)
        if error is not None:
            raise LinkError(f"{self._address}: {_first(error)}") from error

    def close(self) -> None:
        if self._attempt is None or self._attempt.done(time.monotonic()):
            self._close()
        else:  # a session cannot be closed as long as it holds a message
            Thread(target=self._close_after, args=(self._attempt,), daemon=True).start()

    def _wait_for_listener(self, until: float | None) -> None:
        while not self._publisher.matching_status.matching:
            if until is not None and time.monotonic() >= until:
                raise LinkError(f"{self._address}: nobody listens there")
            time.sleep(LOOK)

    def _end(self, attempt: _Attempt, until: float | None) -> Exception | None:
        """Wait for the end of an attempt; why it failed, if it did."""
        if not attempt.done(until):
            raise LinkError(f"{self._address}: who listens there takes nothing more for now")
        self._attempt = None
        return attempt.error

    def _close_after(self, attempt: _Attempt) -> None:
        attempt.done(None)
        self._close()

    def _close(self) -> None:
        if not self._session.is_closed():
            self._session.close()


class ZenohSource(Source):
    """Subscribes to a key expression, which may have the wildcards * and **.

    Args:
        address: as for `ZenohSink`.
        listen: wait at the address for peers to connect, instead of connecting to it.

    Raises:
        ArgumentError: eclipse-zenoh is missing; no such key.
        LinkError: the address cannot be used.
    """

    def __init__(self, address: Address, listen: bool = False) -> None:
        self._arrived: queue.Queue[tuple[bytes, str]] = queue.Queue(MAX_WAITING)
        zenoh, self._session = _open(address, listen)
        try:
            self._session.declare_subscriber(address.path, self._take)
        except zenoh.ZError as e:
            self._session.close()
            raise ArgumentError(f"{address}: {_first(e)}") from e

    def receive(self, timeout: float | None = None) -> bytes | None:
        found = self._wait(self._arrived, until_after(timeout))
        if found is None:
            return None
        data, self.topic = found
        return data

    def close(self) -> None:
        self._open = False
        if not self._session.is_closed():
            self._session.close()

    def _take(self, sample: Any) -> None:
        found = sample.payload.to_bytes(), str(sample.key_expr)
        while self._open:  # a full queue holds back Zenoh's thread, and with it the sender
            try:
                return self._arrived.put(found, timeout=TICK)
            except queue.Full:
                continue


def _open(address: Address, listen: bool) -> tuple[Any, Any]:
    """The package, and a session."""
    try:
        import zenoh
    except ImportError:
        raise ArgumentError("Zenoh needs eclipse-zenoh: pip install 'tokcodec[zenoh]'") from None
    if address.user is not None:
        raise ArgumentError(f"{address}: users and passwords belong into Zenoh's own configuration")
    config = zenoh.Config()
    # Else what a slow peer has not taken after five seconds is dropped without a word.
    config.insert_json5("transport/link/tx/queue/congestion_control/block/wait_before_close", LONG)
    if address.host:
        host = f"[{address.host}]" if ":" in address.host else address.host
        ends = json.dumps([f"tcp/{host}:{address.port}"])
        config.insert_json5("listen/endpoints" if listen else "connect/endpoints", ends)
        config.insert_json5("scouting/multicast/enabled", "false")
        config.insert_json5("connect/exit_on_failure", "false")  # it goes on trying
    try:
        return zenoh, zenoh.open(config)
    except zenoh.ZError as e:
        raise LinkError(f"{address}: {_first(e)}") from e


def _first(e: Exception) -> str:
    """What Zenoh says, without where in its source it says so."""
    return str(e).partition(" at /")[0].strip()
