"""Messages through an MQTT broker, with paho-mqtt 2.

With QoS 1 or 2 a message is safe with the broker when `send` returns, and the broker keeps it until
the source has dealt with it: through broken connections, restarts of either end and, if the broker
itself keeps what it has (mosquitto: `persistence true`), restarts of the broker. From the broker on
messages travel with QoS 1: of QoS 2 a broker delivers nothing again that had arrived, dealt with or
not, and what may come twice is told by its id.
"""

from __future__ import annotations

import queue
import re
import secrets
import time
from collections.abc import Callable
from threading import Condition
from typing import Any

from tokcodec.errors import ArgumentError, LinkError
from tokcodec.transport.address import Address, check_port
from tokcodec.transport.seam import Sink, Source, until_after

KEEPALIVE = 60  # seconds
LONGEST_PAUSE = 30  # seconds between attempts to connect
SURE = 1  # the QoS with which messages come from the broker, if it is above 0
WAITING = 1024  # messages of QoS 0 that wait for us; further ones are dropped
LONGEST = 65_535  # bytes of a topic, and of other texts
_FILTER = re.compile(r"((\+|[^+#/]*)/)*(\+|#|[^+#/]*)")  # + and # fill their level


class _Client:
    """A connection that comes back by itself, and what its threads tell."""

    def __init__(self, address: Address, qos: int, name: str, clean: bool = True) -> None:
        if qos not in (0, 1, 2):
            raise ArgumentError(f"QoS is 0, 1 or 2, not {qos!r}")
        _check(address, name)
        mqtt = _paho()
        self.address, self.qos = address, qos
        self.changed = Condition()
        self.connected, self.sessions, self.refused = False, 0, ""
        self.client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2, name, clean_session=clean, manual_ack=True
        )
        if address.user is not None:
            self.client.username_pw_set(address.user, address.password)
        if address.scheme == "mqtts":
            self.client.tls_set()
        self.client.reconnect_delay_set(1, LONGEST_PAUSE)
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect

    def start(self) -> None:
        """Connect, now or whenever the broker is there."""
        self.client.connect_async(self.address.host, self.address.port, KEEPALIVE)
        self.client.loop_start()

    def stop(self) -> None:
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

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: Any, _more: Any) -> None:
        with self.changed:
            if code.is_failure:
                self.refused = f"the broker says: {code}"
            else:
                self.connected, self.refused = True, ""
                self.sessions += 1
            self.changed.notify_all()

    def _on_disconnect(self, *_: Any) -> None:
        with self.changed:
            self.connected = False
            self.changed.notify_all()


class MqttSink(Sink):
    """Publishes to a topic.

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
        self._link.client.on_publish = self._on_publish
        self._done: set[int] = set()
        self._attempt: tuple[bytes, int] | None = None  # what is on its way, and its number
        self._link.start()

    def send(self, data: bytes, timeout: float | None = None) -> None:
        until = until_after(timeout)
        link = self._link
        if self._attempt is None or self._attempt[0] != data:
            if not link.wait(lambda: link.connected, until):
                raise LinkError(f"{link.address}: {link.why()}")
            self._attempt = data, self._publish(data)
        number = self._attempt[1]
        # Nobody repeats QoS 0: once the connection is gone there is nothing to wait for.
        link.wait(lambda: number in self._done or not (link.qos or link.connected), until)
        sent = number in self._done
        if sent or link.qos == 0:
            self._attempt = None
        if not sent:
            raise LinkError(f"{link.address}: {link.why()}")

    def close(self) -> None:
        self._link.stop()

    def _publish(self, data: bytes) -> int:
        link = self._link
        self._done.clear()
        try:
            info = link.client.publish(link.address.path, data, link.qos)
        except ValueError as e:
            raise ArgumentError(f"{link.address}: {e}") from e
        if link.qos == 0 and info.rc != 0:
            raise LinkError(f"{link.address}: {link.why()}")
        return int(info.mid)

    def _on_publish(self, _client: Any, _data: Any, mid: int, _code: Any, _props: Any) -> None:
        with self._link.changed:
            self._done.add(mid)
            self._link.changed.notify_all()


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
        self._link = _Client(address, qos, name or unnamed, clean=name is None)
        self._kept = name is not None
        self._arrived: queue.Queue[tuple[Any, int]] = queue.Queue()
        self._current: tuple[Any, int] | None = None
        self._link.client.on_message = self._on_message
        connected = self._link.client.on_connect

        def subscribe(client: Any, *about: Any) -> None:
            connected(client, *about)
            if not about[2].is_failure:
                client.subscribe(address.path, min(qos, SURE))

        self._link.client.on_connect = subscribe
        self._ready = False
        self._link.client.on_subscribe = self._on_subscribe
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

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, codes: Any, _props: Any) -> None:
        with self._link.changed:
            failed = next((code for code in codes if code.is_failure), None)
            self._ready = failed is None
            self._link.refused = "" if failed is None else f"the broker says: {failed}"
            self._link.changed.notify_all()

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
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


def _paho() -> Any:
    try:
        from paho.mqtt import client
    except ImportError:
        raise ArgumentError("MQTT needs paho-mqtt: pip install 'tokcodec[mqtt]'") from None
    return client
