"""A connection to an MQTT broker that comes back by itself, and the broker's answers.

The version is 5, in which a broker tells how long a packet may be, and what it refuses and why. One
that refuses that version itself is spoken to in 3.1.1, where it can tell neither. One that hangs up
without a word is not: it could as well be about to restart.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition
from typing import Any

from tokcodec.errors import ArgumentError
from tokcodec.transport.address import Address, check_port

KEEPALIVE = 60  # seconds
MAX_PAUSE = 30  # seconds between attempts to connect
FOR_EVER = 0xFFFFFFFF  # what no session expires after
MAX_TEXT = 65_535  # bytes of a topic, and of other texts
FAILURE = 0x80  # the first reason code that tells of one
TOO_LARGE = 0x95
_OTHER_VERSION = 0x84
# Why a broker hangs up on what it was sent: malformed, a breach of the protocol, not authorized, no
# such topic, too many at once, too large, too often, over a quota, wrong inside, retained, its QoS.
_FOR_A_MESSAGE = {0x81, 0x82, 0x87, 0x90, 0x93, TOO_LARGE, 0x96, 0x97, 0x99, 0x9A, 0x9B}
_BEGUN = 0  # in place of a packet's number while it is not known: none has this one
_FILTER = re.compile(r"((\+|[^+#/]*)/)*(\+|#|[^+#/]*)")  # + and # fill their level


@dataclass
class Sent:
    """What one client of paho has published, and what was said to that.

    Attributes:
        sizes: bytes of the packets, by their numbers.
        codes: the broker's answers, by the numbers of the packets.
        end: why the broker hangs up, if it said so; 0 otherwise.
    """

    sizes: dict[int, int] = field(default_factory=dict)
    codes: dict[int, int] = field(default_factory=dict)
    end: int = 0

    def unanswered(self) -> list[int]:
        """Numbers of the packets that the broker has said nothing of."""
        return [number for number in self.sizes if number not in self.codes]

    def begin(self, size: int) -> None:
        """A packet is about to be published; what was answered before is forgotten."""
        self.sizes = {number: self.sizes[number] for number in self.unanswered()}
        self.codes.clear()
        self.sizes[_BEGUN] = size

    def begun(self, number: int) -> None:
        """That packet has this number. The broker may have answered by now."""
        self.sizes[number] = self.sizes.pop(_BEGUN)
        if _BEGUN in self.codes:
            self.codes.setdefault(number, self.codes.pop(_BEGUN))


class Client:
    """A connection that comes back by itself, and what its threads tell.

    Attributes:
        connected: whether the broker has let us in.
        sessions: how often it has.
        refused: what it says if it has not.
        limit: bytes of a packet, at most, if the broker told.
        client: of paho; another one after `renew`.
        sent: what that one has published.
        callbacks: further ones of paho's, by name. What an earlier client tells reaches none.
        on_session: called whenever the broker has let us in.
        on_blame: called with its reason if it hangs up on what it was sent.
    """

    def __init__(self, address: Address, qos: int, name: str, kept: bool = False) -> None:
        if qos not in (0, 1, 2):
            raise ArgumentError(f"QoS is 0, 1 or 2, not {qos!r:.40}")
        _check(address, name)
        self._paho = _paho()
        self._name, self._kept, self._newest, self._stopped = name, kept, True, False
        self.address, self.qos = address, qos
        self.changed = Condition()
        self.connected, self.sessions, self.refused, self._unreached = False, 0, "", ""
        self.limit: int | None = None
        self.client: Any = None
        self.sent = Sent()
        self.callbacks: dict[str, Callable[..., None]] = {}
        self.on_session: Callable[[], None] = lambda: None
        self.on_blame: Callable[[int], None] = lambda code: None

    def start(self) -> None:
        """Connect, now or whenever the broker is there."""
        with self.changed:
            self.client, self.sent = self._new(), Sent()
            _heed_refusals(self.client, self.sent)
            self.client.loop_start()

    def renew(self) -> None:
        """Connect anew and drop all that was not answered, which paho would send again. Only for
        callbacks.
        """
        before, self.connected = self.client, False
        self.start()
        before.disconnect()
        before.loop_stop()

    def stop(self) -> None:
        """Let go of the connection; nobody is called back any more."""
        with self.changed:
            self._stopped, self.connected = True, False
        self.client.disconnect()
        self.client.loop_stop()

    def wait(self, ready: Callable[[], bool], until: float | None) -> bool:
        """Whether it was ready before that moment."""
        with self.changed:
            left = None if until is None else max(0.0, until - time.monotonic())
            return self.changed.wait_for(ready, left)

    def why(self) -> str:
        """What stands between us and the broker."""
        if self.connected:
            return self.refused or "the broker does not confirm"
        return self.refused or f"the broker cannot be reached{self._unreached}"

    def _new(self) -> Any:
        """A client that is about to connect."""
        from paho.mqtt.packettypes import PacketTypes
        from paho.mqtt.properties import Properties

        mqtt, address = self._paho, self.address
        session: dict[str, Any] = {"protocol": mqtt.MQTTv5}
        start: dict[str, Any] = {"clean_start": not self._kept}
        if not self._newest:
            session, start = {"protocol": mqtt.MQTTv311, "clean_session": not self._kept}, {}
        elif self._kept:
            start["properties"] = Properties(PacketTypes.CONNECT)
            start["properties"].SessionExpiryInterval = FOR_EVER
        version = mqtt.CallbackAPIVersion.VERSION2
        client = mqtt.Client(version, self._name, manual_ack=True, **session)
        if address.user is not None:
            client.username_pw_set(address.user, address.password)
        if address.scheme == "mqtts":
            client.tls_set()
        client.reconnect_delay_set(1, MAX_PAUSE)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._of_present(self._on_connect_fail)
        client.on_disconnect = self._of_present(self._on_disconnect)
        for name, callback in self.callbacks.items():
            setattr(client, name, self._of_present(callback))
        client.connect_async(address.host, address.port, KEEPALIVE, **start)
        return client

    def _of_present(self, callback: Callable[..., None]) -> Callable[..., None]:
        """A callback that no earlier client reaches, and after which whoever waits looks again."""

        def told(client: Any, _data: Any, *about: Any) -> None:
            with self.changed:
                if client is self.client and not self._stopped:
                    callback(*about)
                    self.changed.notify_all()

        return told

    def _on_connect(self, client: Any, _data: Any, _flags: Any, code: Any, more: Any) -> None:
        with self.changed:
            if client is not self.client or self._stopped:
                client.disconnect()  # it was told to while it was about to connect
            elif code.value == _OTHER_VERSION and self._newest:
                self._newest = False
                self.renew()
            elif code.is_failure:
                self.refused = f"the broker says: {code}"
            else:
                self.connected, self.refused, self._unreached = True, "", ""
                self.sessions += 1
                self.limit = getattr(more, "MaximumPacketSize", None)
                self.on_session()
            self.changed.notify_all()

    def _on_connect_fail(self) -> None:
        error = sys.exception()  # paho calls this where it caught it, and does not hand it over
        self._unreached = f": {getattr(error, 'strerror', None) or error}" if error else ""

    def _on_disconnect(self, *_: Any) -> None:
        self.connected = False
        code, self.sent.end = self.sent.end, 0
        if code in _FOR_A_MESSAGE:
            self.on_blame(code)


def reason(code: int) -> str:
    """What a reason code means."""
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.reasoncodes import ReasonCode

    for kind in (PacketTypes.PUBACK, PacketTypes.DISCONNECT):
        try:
            return str(ReasonCode(kind, identifier=code))
        except (KeyError, ValueError):
            continue
    return f"reason code {code}"


def _heed_refusals(client: Any, sent: Sent) -> None:
    """Note the failure codes with which messages are answered. paho does not look at those of
    PUBREC, and stumbles over one that is not meant for PUBACK, as mosquitto's for too large a
    payload: it is shown that the message is done with. And why the broker hangs up: before 2.2 paho
    overlooks a reason that nothing follows.
    """
    from paho.mqtt.packettypes import PacketTypes

    handle = client._packet_handle

    def handled() -> Any:
        packet = client._in_packet
        kind, content = packet["command"] >> 4, packet["packet"]
        answer = kind in (PacketTypes.PUBACK, PacketTypes.PUBREC)
        if answer and len(content) > 2 and content[2] >= FAILURE:
            sent.codes[int.from_bytes(content[:2], "big")] = content[2]
            packet["command"], packet["packet"] = PacketTypes.PUBACK << 4, content[:2]
            packet["remaining_length"] = 2
        elif kind == PacketTypes.DISCONNECT and content:
            sent.end = content[0]
        return handle()

    client._packet_handle = handled


def _check(address: Address, name: str) -> None:
    """Refuse what paho would stumble over in a thread of its own, where nobody hears of it."""
    check_port(address.port)
    try:
        address.host.encode("idna")  # as it is looked up
        texts = (address.path, address.user or "", address.password or "", name)
        long = any(len(text.encode()) > MAX_TEXT for text in texts)
    except UnicodeError as e:
        raise ArgumentError(f"{address} cannot be used: {e}") from None
    if long or "\0" in address.host + address.path + name:
        raise ArgumentError(f"{address!s:.80}: a text is too long, or holds a zero byte")
    if not address.host:
        raise ArgumentError(f"{address}: which broker?")
    if not address.path or not _FILTER.fullmatch(address.path):
        raise ArgumentError(
            f"{address}: no topic; + stands for one whole level, # for all that follow"
        )


def _paho() -> Any:
    try:
        from paho.mqtt import client
    except ImportError:
        raise ArgumentError("MQTT needs paho-mqtt: pip install 'tokcodec[mqtt]'") from None
    return client
