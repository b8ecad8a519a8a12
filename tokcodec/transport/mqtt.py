"""Messages through an MQTT broker, with paho-mqtt 2.

With QoS 1 or 2 a message is safe with the broker when `send` returns, and the broker keeps it until
the source has dealt with it: through broken connections, restarts of either end and, if the broker
itself keeps what it has (mosquitto: `persistence true`), restarts of the broker. From the broker on
messages travel with QoS 1: of QoS 2 a broker delivers nothing again that had arrived, dealt with or
not, and what may come twice is told by its id.
"""

from __future__ import annotations

import queue
import secrets
from typing import Any, NamedTuple

from tokcodec.errors import ArgumentError, LinkError
from tokcodec.transport.address import Address
from tokcodec.transport.interface import Sink, Source, until_after
from tokcodec.transport.mqtt_client import FAILURE, TOO_LARGE, Client, Sent, reason

SURE = 1  # the QoS with which messages come from the broker, if it is above 0
MAX_WAITING = 1024  # messages of QoS 0 that wait for us; further ones are dropped


class _Attempt(NamedTuple):
    """A message on its way, with which number, in what a client has published."""

    data: bytes
    number: int
    sent: Sent


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
        self._link = Client(address, qos, f"tokcodec-send-{secrets.token_hex(6)}")
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
        if code >= FAILURE:
            why = f"{link.address}: the broker says: {reason(code)}"
            if code == TOO_LARGE:
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
        self._link = Client(address, qos, name or unnamed, self._kept)
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
        """Until the broker is there and has the subscription.

        Raises:
            LinkError: it does not within `timeout` seconds.
        """
        link = self._link
        if not link.wait(lambda: self._ready and link.connected, until_after(timeout)):
            raise LinkError(f"{self._link.address}: {self._link.why()}")

    def receive(self, timeout: float | None = None) -> bytes | None:
        self._acknowledge()
        until = until_after(timeout)
        while (found := self._wait(self._arrived, until)) is not None:
            message, session = found
            if message.qos == 0 or not self._kept or session == self._link.sessions:
                self._current, self.topic = found, message.topic
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
        self._ready = False
        self._link.client.subscribe(self._link.address.path, min(self._link.qos, SURE))

    def _on_subscribe(self, _number: int, codes: Any, _more: Any) -> None:
        failed = next((code for code in codes if code.is_failure), None)
        self._ready = failed is None
        self._link.refused = "" if failed is None else f"the broker says: {failed}"

    def _on_message(self, message: Any) -> None:
        if message.qos == 0 and self._arrived.qsize() >= MAX_WAITING:
            return
        self._arrived.put((message, self._link.sessions))


def _size(topic: str, payload: int, qos: int) -> int:
    """Bytes of the packet that a message travels in."""
    rest = 2 + len(topic.encode()) + (2 if qos else 0) + 1 + payload  # 1: no properties
    return 1 + max(1, -(-rest.bit_length() // 7)) + rest
