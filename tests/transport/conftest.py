"""Real peers on loopback: a mosquitto with a configuration of its own, and a stream to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

import tokcodec
from benchmarks import mosquitto
from benchmarks.mosquitto import Broker


@pytest.fixture
def start_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Broker]]:
    """start_broker(lines of its configuration): a running broker, stopped after the test."""
    if mosquitto.binary() is None:
        pytest.skip("there is no mosquitto here: apt-get install mosquitto")
    pytest.importorskip("paho.mqtt.client")
    started: list[Broker] = []

    def start(more: str = "") -> Broker:
        folder = tmp_path_factory.mktemp("broker")
        for above in (folder.parent, folder.parent.parent):
            above.chmod(0o755)  # pytest's folders are closed to mosquitto's user
        started.append(Broker(folder, more))
        return started[-1]

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture
def broker(start_broker: Callable[..., Broker]) -> Broker:
    return start_broker()


@pytest.fixture(scope="session")
def stream(astronaut: np.ndarray) -> bytes:
    """The astronaut, 96x80, in 400 bytes."""
    return tokcodec.encode(astronaut, max_bytes=400)
