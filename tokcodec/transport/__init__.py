"""Streams through the world's wires, each a thin bridge that keeps to one interface.

A *sink* has `send(data)`, a *source* gives bytes one after another; both have `close()` and are
context managers. MQTT and Zenoh carry messages (a picture's id and its whole stream: `message`),
UDP carries the packets of `tokcodec.link`, HTTP serves files of which any range from the start is a
picture.

    tokcodec.transport.udp        standard library
    tokcodec.transport.mqtt       pip install 'tokcodec[mqtt]'
    tokcodec.transport.zenoh      pip install 'tokcodec[zenoh]'
    tokcodec.transport.http       standard library
"""

from __future__ import annotations

from tokcodec.transport.address import Address
from tokcodec.transport.interface import Sink, Source

__all__ = ["Address", "Sink", "Source"]
