"""Messages through an MQTT broker, with paho-mqtt 2.

With QoS 1 or 2 a message is safe with the broker when `send` returns, and the broker keeps it until
the source has dealt with it: through broken connections, restarts of either end and, if the broker
itself keeps what it has (mosquitto: `persistence true`), restarts of the broker. From the broker on
messages travel with QoS 1: of QoS 2 a broker delivers nothing again that had arrived, dealt with or
not, and what may come twice is told by its id.

The version is 5, in which a broker tells how long a packet may be, and what it refuses and why. One
that refuses that version itself is spoken to in 3.1.1, where it can tell neither. One that hangs up
without a word is not: it could as well be about to restart.
"""

from __future__ import annotations

import queue
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition
from typing import Any, NamedTuple

from tokcodec.errors import ArgumentError, LinkError
from tokcodec.transport.address import Address, check_port
from tokcodec.transport.seam import Sink, Source, until_after

KEEPALIVE = 60  # seconds
LONGEST_PAUSE = 30  # seconds between attempts to connect
FOR_EVER = 0xFFFFFFFF  # what no session expires after
SURE = 1  # the QoS with which messages come from the broker, if it is above 0
WAITING = 1024  # messages of QoS 0 that wait for us; further ones are dropped
LONGEST = 65_535  # bytes of a topic, and of other texts
_FILTER = re.compile(r"((\+|[^+#/]*)/)*(\+|#|[^+#/]*)")  # + and # fill their level

_FAILURE = 0x80  # the first reason code that tells of one
_OTHER_VERSION = 0x84
_TOO_LARGE = 0x95
# Why a broker hangs up on what it was sent: malformed, a breach of the protocol, not authorized, no
# such topic, too many at once, too large, too often, over a quota, wrong inside, retained, its QoS.
_FOR_A_MESSAGE = {0x81, 0x82, 0x87, 0x90, 0x93, _TOO_LARGE, 0x96, 0x97, 0x99, 0x9A, 0x9B}

_BEGUN = 0  # in place of a packet's number while it is not known: none has this one


@dataclass
class _Sent:
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


class _Client:
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
            raise ArgumentError(f"QoS is 0, 1 or 2, not {qos!r}")
        _check(address, name)
        self._paho = _paho()
        self._name, self._kept, self._newest, self._stopped = name, kept, True, False
        self.address, self.qos = address, qos
        self.changed = Condition()
        self.connected, self.sessions, self.refused = False, 0, ""
        self.limit: int | None = None
        self.client: Any = None
        self.sent = _Sent()
        self.callbacks: dict[str, Callable[..., None]] = {}
        self.on_session: Callable[[], None] = lambda: None
        self.on_blame: Callable[[int], None] = lambda code: None

    def start(self) -> None:
        """Connect, now or whenever the broker is there."""
        with self.changed:
            self.client, self.sent = self._new(), _Sent()
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
        silent = "does not confirm" if self.connected else "cannot be reached"
        return self.refused or f"the broker {silent}"

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
        client.reconnect_delay_set(1, LONGEST_PAUSE)
        client.on_connect = self._on_connect
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
                self.connected, self.refused = True, ""
                self.sessions += 1
                self.limit = getattr(more, "MaximumPacketSize", None)
                self.on_session()
            self.changed.notify_all()

    def _on_disconnect(self, *_: Any) -> None:
        self.connected = False
        code, self.sent.end = self.sent.end, 0
        if code in _FOR_A_MESSAGE:
            self.on_blame(code)


class _Attempt(NamedTuple):
    """A message on its way, with which number, in what a client has published."""

    data: bytes
    number: int
    sent: _Sent


class MqttSink(Sink):
    """Publishes to a topic.

    A message that the broker refuses is not sent again by itself: `send` raises LinkError with the
    broker's reason or, if the message is larger than the broker takes, ArgumentError.

    Args:
        address: of the broker, its path the topic.
        qos: 0 (sent once, perhaps lost), 1 (arrives, perhaps twice: ids tell) or 2 (arrives once).

    Raises:
        ArgumentError: paho-mqtt is missing; there can be no such QoS, topic, host or port.
    """

    def __init__(self, address: Address, qos: int = 1) -> None:
        if any(c in address.path for c in "+#"):
            raise ArgumentError(f"{address}: + and # are for receivers")
        self._link = _Client(address, qos, f"tokcodec-send-{secrets.token_hex(6)}")
        self._link.callbacks = {"on_publish": self._on_publish}
        self._link.on_session, self._link.on_blame = self._drop_too_large, self._blame
        self._attempt: _Attempt | None = None
        self._link.start()

    def send(self, data: bytes, timeout: float | None = None) -> None:
        until = until_after(timeout)
        link, code, dropped = self._link, None, True
        while code is None and dropped:  # not itself refused, but with another one: once more
            attempt = self._under_way(data, until)
            code, dropped = self._answer(attempt, until), attempt.sent is not link.sent
        if code is not None or link.qos == 0:
            self._attempt = None
        if code is None:
            raise LinkError(f"{link.address}: {link.why()}")
        if code >= _FAILURE:
            why = f"{link.address}: the broker says: {_reason(code)}"
            if code == _TOO_LARGE:
                raise ArgumentError(f"{why} ({len(data):,} bytes)")
            raise LinkError(why)

    def close(self) -> None:
        self._link.stop()

    def _under_way(self, data: bytes, until: float | None) -> _Attempt:
        """The attempt to send this, begun now unless it is on its way, or was answered since."""
        link, attempt = self._link, self._attempt
        dropped = attempt is not None and not (
            attempt.sent is link.sent or attempt.number in attempt.sent.codes
        )
        if attempt is None or attempt.data != data or dropped:
            if not link.wait(lambda: link.connected, until):
                raise LinkError(f"{link.address}: {link.why()}")
            attempt = self._attempt = self._publish(data)
        return attempt

    def _answer(self, attempt: _Attempt, until: float | None) -> int | None:
        """The broker's answer to an attempt; None if there is none in time, or will be none."""
        link, (_, number, sent) = self._link, attempt
        # Nobody repeats QoS 0: once the connection is gone there is nothing to wait for.
        link.wait(
            lambda: (
                number in sent.codes or sent is not link.sent or not (link.qos or link.connected)
            ),
            until,
        )
        return sent.codes.get(number)

    def _publish(self, data: bytes) -> _Attempt:
        link = self._link
        topic = link.address.path
        size = _size(topic, len(data), link.qos)
        with link.changed:
            client, sent, limit = link.client, link.sent, link.limit
            if limit is not None and size > limit:
                raise ArgumentError(
                    f"{link.address}: the broker takes packets of at most {limit:,} bytes; with"
                    f" these {len(data):,} it has {size:,}"
                )
            sent.begin(size)
        try:
            info = client.publish(topic, data, link.qos)
        except ValueError as e:
            raise ArgumentError(f"{link.address}: {e}") from e
        if link.qos == 0 and info.rc != 0:
            raise LinkError(f"{link.address}: {link.why()}")
        with link.changed:
            sent.begun(int(info.mid))
        return _Attempt(data, int(info.mid), sent)

    def _on_publish(self, number: int, code: Any, _more: Any) -> None:
        # 3.1.1 has no codes. A refusal that was noted before stays.
        self._link.sent.codes.setdefault(number, getattr(code, "value", 0))

    def _drop_too_large(self) -> None:
        """The broker may have come back with a lower limit."""
        sent, limit = self._link.sent, self._link.limit
        if limit is not None and any(sent.sizes[i] > limit for i in sent.unanswered()):
            self._link.renew()

    def _blame(self, code: int) -> None:
        """The broker hung up on a message. If it could be one of several none is blamed: those that
        nobody waits for any more are dropped, and the one that is left is sent alone.
        """
        sent = self._link.sent
        numbers = sent.unanswered()
        if len(numbers) == 1:
            sent.codes[numbers[0]] = code
        if numbers:
            self._link.renew()


class MqttSource(Source):
    """Subscribes to a topic, which may have the wildcards + and #.

    The broker keeps messages for `name` while nobody of that name is there, from the first time on.
    A message is acknowledged when the next is asked for; before, it would be delivered again.

    Args:
        address: of the broker, its path the topic.
        qos: 0, or 1 and 2, which are the same here; messages come with no more than they were
            sent with.
        name: of this receiver, unlike all others at the broker; None for one that the broker
            forgets.

    Raises:
        ArgumentError: paho-mqtt is missing; there can be no such QoS, topic, host, port or name.
    """

    def __init__(self, address: Address, qos: int = 1, name: str | None = None) -> None:
        unnamed = f"tokcodec-receive-{secrets.token_hex(6)}"
        self._kept = name is not None
        self._link = _Client(address, qos, name or unnamed, self._kept)
        self._arrived: queue.Queue[tuple[Any, int]] = queue.Queue()
        self._current: tuple[Any, int] | None = None
        self._ready = False
        self._link.callbacks = {
            "on_message": self._on_message,
            "on_subscribe": self._on_subscribe,
        }
        self._link.on_session = self._subscribe
        self._link.start()

    def wait(self, timeout: float | None = None) -> None:
        """Until the broker has the subscription.

        Raises:
            LinkError: it does not within `timeout` seconds.
        """
        if not self._link.wait(lambda: self._ready, until_after(timeout)):
            raise LinkError(f"{self._link.address}: {self._link.why()}")

    def receive(self, timeout: float | None = None) -> bytes | None:
        self._acknowledge()
        until = until_after(timeout)
        while (found := self._wait(self._arrived, until)) is not None:
            message, session = found
            if message.qos == 0 or not self._kept or session == self._link.sessions:
                self._current = found
                return bytes(message.payload)
        return None

    def close(self) -> None:
        self._open = False
        self._link.stop()

    def _acknowledge(self) -> None:
        """Tell the broker that the latest message is dealt with. Numbers hold for one connection:
        in the next the broker delivers again what was not acknowledged, and may count anew.
        """
        if self._current is not None:
            message, session = self._current
            if session == self._link.sessions:
                self._link.client.ack(message.mid, message.qos)
        self._current = None

    def _subscribe(self) -> None:
        self._link.client.subscribe(self._link.address.path, min(self._link.qos, SURE))

    def _on_subscribe(self, _number: int, codes: Any, _more: Any) -> None:
        failed = next((code for code in codes if code.is_failure), None)
        self._ready = failed is None
        self._link.refused = "" if failed is None else f"the broker says: {failed}"

    def _on_message(self, message: Any) -> None:
        if message.qos == 0 and self._arrived.qsize() >= WAITING:
            return
        self._arrived.put((message, self._link.sessions))


def _check(address: Address, name: str) -> None:
    """Refuse what paho would stumble over in a thread of its own, where nobody hears of it."""
    check_port(address.port)
    try:
        address.host.encode("idna")  # as it is looked up
        texts = (address.path, address.user or "", address.password or "", name)
        long = any(len(text.encode()) > LONGEST for text in texts)
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


def _size(topic: str, payload: int, qos: int) -> int:
    """Bytes of the packet that a message travels in."""
    rest = 2 + len(topic.encode()) + (2 if qos else 0) + 1 + payload  # 1: no properties
    return 1 + max(1, -(-rest.bit_length() // 7)) + rest


def _heed_refusals(client: Any, sent: _Sent) -> None:
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
        if answer and len(content) > 2 and content[2] >= _FAILURE:
            sent.codes[int.from_bytes(content[:2], "big")] = content[2]
            packet["command"], packet["packet"] = PacketTypes.PUBACK << 4, content[:2]
            packet["remaining_length"] = 2
        elif kind == PacketTypes.DISCONNECT and content:
            sent.end = content[0]
        return handle()

    client._packet_handle = handled


def _reason(code: int) -> str:
    """What a reason code means."""
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.reasoncodes import ReasonCode

    for kind in (PacketTypes.PUBACK, PacketTypes.DISCONNECT):
        try:
            return str(ReasonCode(kind, identifier=code))
        except (KeyError, ValueError):
            continue
    return f"reason code {code}"


def _paho() -> Any:
    try:
        from paho.mqtt import client
    except ImportError:
        raise ArgumentError("MQTT needs paho-mqtt: pip install 'tokcodec[mqtt]'") from None
    return client
