"""Real peers on loopback: a mosquitto with a configuration of its own, and a stream to send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

import tokcodec
from benchmarks import mosquitto
from benchmarks.mosquitto import Broker


@pytest.fixture
def start_broker() -> Iterator[Callable[..., Broker]]:
    """start_broker(lines of its configuration): a running broker, stopped after the test."""
    if mosquitto.binary() is None:
        pytest.skip("there is no mosquitto here: apt-get install mosquitto")
    pytest.importorskip("paho.mqtt.client")
    started: list[tuple[Broker, TemporaryDirectory]] = []

    def start(more: str = "") -> Broker:
        folder = TemporaryDirectory()  # pytest's own folders are closed to mosquitto's user
        started.append((Broker(Path(folder.name), more), folder))
        return started[-1][0]

    yield start
    for broker, folder in started:
        broker.stop()
        folder.cleanup()


@pytest.fixture
def broker(start_broker: Callable[..., Broker]) -> Broker:
    return start_broker()


@pytest.fixture
def rules() -> Iterator[Path]:
    """A file of what mosquitto permits, where it may read it: anything but to publish."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        path = Path(folder) / "rules"
        path.write_text("topic read #\n")
        path.chmod(0o644)
        yield path


@pytest.fixture(scope="session")
def stream(astronaut: np.ndarray) -> bytes:
    """The astronaut, 96x80, in 400 bytes."""
    return tokcodec.encode(astronaut, max_bytes=400)
