"""Addresses at a broker of the tests."""

from __future__ import annotations

from benchmarks.mosquitto import Broker
from tokcodec.transport import Address


def at(broker: Broker, topic: str = "cameras/gate") -> Address:
    """A topic there."""
    return Address.parse(f"{broker.address}/{topic}")
