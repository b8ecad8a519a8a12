"""A scene, the scene with a visitor, and streams of both."""

from __future__ import annotations

import numpy as np
import pytest

import tokcodec
from tokcodec.coder import codestring
from tokcodec.reference import known as references


@pytest.fixture(scope="session")
def scene(photograph) -> np.ndarray:
    return photograph("coffee", 128, 96)


@pytest.fixture(scope="session")
def visited(scene, photograph) -> np.ndarray:
    """The scene with a cat in it, and noise."""
    frame = scene.astype(np.float64)
    frame[40:80, 50:90] = photograph("chelsea", 128, 96)[20:60, 40:80]
    frame += np.random.default_rng(1).normal(0, 2, frame.shape)
    return np.clip(np.rint(frame), 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def key(scene) -> bytes:
    return tokcodec.encode(scene, psnr=30)


@pytest.fixture(scope="session")
def change(visited, key) -> bytes:
    return tokcodec.encode(visited, psnr=30, reference=key)


@pytest.fixture(scope="session")
def chain(photograph) -> list[bytes]:
    """Six streams of a still picture, each but the first with those before it."""
    picture = photograph("chelsea", 32, 24)
    found = [tokcodec.encode(picture, psnr=28)]
    while len(found) < 6:
        found.append(tokcodec.encode(picture, psnr=28, reference=found))
    assert all(tokcodec.info(data).reference for data in found[1:])
    return found


@pytest.fixture
def read(monkeypatch) -> list[bytes]:
    """The code strings that are read, while nothing is remembered from earlier tests."""
    seen, as_ever = [], codestring.read

    def counted(order, payload, keep=False):
        seen.append(payload)
        return as_ever(order, payload, keep)

    monkeypatch.setattr(codestring, "read", counted)
    references._cached.clear()
    return seen
