"""`mqtt://user@host:1883/topic` and its like, to their parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from tokcodec.arguments import is_whole
from tokcodec.errors import ArgumentError

PORTS = {"mqtt": 1883, "mqtts": 8883, "udp": 0, "zenoh": 7447}
MAX_PORT = 65_535
EXAMPLES = "mqtt://host/topic, mqtts://user:password@host/topic, udp://host:5700, zenoh://host/key"


@dataclass(frozen=True)
class Address:
    """One end of a transport.

    Attributes:
        scheme: "mqtt", "mqtts" (TLS), "udp" or "zenoh".
        host: name or number; empty if the address has none.
        port: the scheme's usual one, unless it is given.
        path: topic or key, without the first slash; empty for UDP.
        user, password: None if the address has none.
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Raises ArgumentError for anything that is no such address."""
        try:
            parts = urlsplit(text, allow_fragments=False)  # topics may end in #
            host, port = parts.hostname or "", parts.port
        except (ValueError, AttributeError) as e:  # the second: no text
            why = "" if "@" in str(text) else f": {e}"  # which may tell a part of the password
            raise ArgumentError(f"{_told(text)} is no address{why}") from None
        text = _told(text)
        if parts.scheme not in PORTS:
            raise ArgumentError(f"{text} is no address; some that are: {EXAMPLES}")
        path = unquote(parts.path).removeprefix("/")  # to MQTT, a/ and /a are topics of their own
        if parts.scheme == "zenoh":
            path = path.strip("/")
        wild = parts.scheme.startswith("mqtt") and parts.path.endswith("/#")
        if parts.query or parts.path.count("#") > wild:
            raise ArgumentError(f"{text}: nothing follows the path of an address")
        if parts.scheme == "udp" and (port is None or path):
            raise ArgumentError(
                f"{text}: UDP wants a host, a port and nothing else, as udp://host:5700"
            )
        if parts.scheme != "udp" and not path:
            raise ArgumentError(
                f"{text}: which topic or key? As in {parts.scheme}://host/cameras/gate"
            )
        if parts.scheme.startswith("mqtt") and not host:
            raise ArgumentError(f"{text}: which broker? As in {parts.scheme}://host/{path}")
        user = None if parts.username is None else unquote(parts.username)
        password = None if parts.password is None else unquote(parts.password)
        port = PORTS[parts.scheme] if port is None else port
        return cls(parts.scheme, host, port, path, user, password)

    def __str__(self) -> str:
        """Without the password: for messages to people."""
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{user}{host}:{self.port}" + (f"/{self.path}" if self.path else "")


def _told(text: object) -> str:
    """An address as messages tell it: without user and password."""
    before, at, after = str(text).rpartition("@")
    scheme, slashes, _ = before.partition("//")
    return f"{scheme if slashes else ''}{slashes}...@{after}" if at else after


def check_port(port: int, first: int = 1) -> None:
    """Refuse what is no port, or one before `first`: 0 is none that anybody can be reached at.

    Raises:
        ArgumentError: it is one of these.
    """
    if not is_whole(port) or not first <= port <= MAX_PORT:
        raise ArgumentError(f"a port is {first} to {MAX_PORT}, not {port!r:.40}")
