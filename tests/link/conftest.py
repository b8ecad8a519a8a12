"""Streams of real photographs for the link's tests."""

from __future__ import annotations

import numpy as np
import pytest

import tokcodec


@pytest.fixture(scope="session")
def stream(astronaut: np.ndarray) -> bytes:
    """The astronaut, 96x80, in 400 bytes."""
    return tokcodec.encode(astronaut, max_bytes=400)


@pytest.fixture(scope="session")
def visited(astronaut: np.ndarray, photograph) -> np.ndarray:
    """The astronaut with a cat in a corner."""
    frame = astronaut.copy()
    frame[30:78, 10:74] = photograph("chelsea", 64, 48)
    return frame


@pytest.fixture(scope="session")
def change(visited: np.ndarray, stream: bytes) -> bytes:
    """The visited astronaut in 400 bytes, with `stream` for a reference."""
    data = tokcodec.encode(visited, max_bytes=400, reference=stream)
    assert tokcodec.info(data).reference
    return data
