"""Streams of real photographs for the link's tests."""

from __future__ import annotations

import numpy as np
import pytest

import tokcodec


@pytest.fixture(scope="session")
def stream(astronaut: np.ndarray) -> bytes:
    """The astronaut, 96x80, in 400 bytes."""
    return tokcodec.encode(astronaut, max_bytes=400)
