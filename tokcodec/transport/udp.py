"""Datagrams out of and into a socket."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress

from tokcodec.errors import ArgumentError, LinkError
from tokcodec.transport.address import check_port
from tokcodec.transport.interface import Sink, Source, limit

MAX_ARRIVING = 65_535  # bytes of a datagram that arrives
MAX_DATAGRAM = 65_507  # and of one that can be sent, over IPv4
BUFFER = 1 << 20  # bytes that the system keeps for us while we draw, if it allows so many

Peer = tuple[str, int]


class UdpSink(Sink):
    """Sends to `host`, `port`. Nobody says whether anything arrives.

    Raises:
        ArgumentError: there is no such port.
        LinkError: there is no such host.
    """

    def __init__(self, host: str, port: int) -> None:
        check_port(port)
        self._peer = f"{host}:{port}"
        self._socket = _socket(host, port, passive=False)

    def send(self, data: bytes, timeout: float | None = None) -> None:
        """One datagram; `timeout` is not needed.

        Raises:
            ArgumentError: it is longer than datagrams are.
            LinkError: the system does not take it: no network.
        """
        if len(data) > MAX_DATAGRAM:
            raise ArgumentError(f"a datagram has at most {MAX_DATAGRAM:,} bytes, not {len(data):,}")
        try:
            try:
                self._socket.send(data)
            except ConnectionRefusedError:
                # An earlier one was, and the system then takes no new one: over UDP nobody has to
                # listen yet, but may by now.
                with suppress(ConnectionRefusedError):
                    self._socket.send(data)
        except OSError as e:
            if e.errno == errno.EMSGSIZE:
                raise ArgumentError(
                    f"the system takes no datagrams of {len(data):,} bytes to {self._peer}"
                ) from e
            raise LinkError(f"cannot send to {self._peer}: {e.strerror or e}") from e

    def close(self) -> None:
        self._socket.close()


class UdpSource(Source):
    """Listens at `port` of all addresses of this machine, or of `host` alone; port 0 is any that is
    free.

    Raises:
        ArgumentError: there is no such port.
        LinkError: the port is taken, or the address is none of this machine.
    """

    def __init__(self, host: str = "", port: int = 0) -> None:
        check_port(port, first=0)
        self._socket = _socket(host, port, passive=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def receive(self, timeout: float | None = None) -> bytes | None:
        found = self.receive_from(timeout)
        return None if found is None else found[0]

    def receive_from(self, timeout: float | None = None) -> tuple[bytes, Peer] | None:
        """A datagram and who sent it; None after `timeout` seconds, or when closed. Raises as
        `receive`.
        """
        try:
            self._socket.settimeout(limit(timeout))
            data, peer = self._socket.recvfrom(MAX_ARRIVING)
        except (TimeoutError, BlockingIOError):  # the latter without any time to wait
            return None
        except OSError as e:
            if self._open:
                raise LinkError(f"cannot receive: {e.strerror or e}") from e
            return None
        return data, (str(peer[0]), int(peer[1]))

    def close(self) -> None:
        self._open = False
        self._socket.close()


def _socket(host: str, port: int, passive: bool) -> socket.socket:
    flags = socket.AI_PASSIVE if passive else 0
    where = f"{host or '*'}:{port}"
    try:
        anywhere = "0.0.0.0" if passive else "127.0.0.1"
        found = socket.getaddrinfo(host or anywhere, port, type=socket.SOCK_DGRAM, flags=flags)
    except (OSError, ValueError) as e:  # the latter of names that none can be
        raise LinkError(f"no such host as {where}: {e}") from e
    # Nobody answers, so no second address can be tried: of a name with both, both ends take IPv4.
    family, kind, _, _, address = min(found, key=lambda each: each[0] != socket.AF_INET)
    opened = socket.socket(family, kind)
    try:
        if passive:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            opened.bind(address)
        else:
            opened.connect(address)
    except OSError as e:
        opened.close()
        raise LinkError(f"cannot use {where}: {e.strerror or e}") from e
    return opened
