"""A bundle of many kinds of streams, and a model that is not shipped."""

from __future__ import annotations

from pathlib import Path

import pytest

import tokcodec
from tests.stream.bundled import NAMES, make_streams
from tokcodec import Bundle, registry
from tokcodec.model import Model


@pytest.fixture(scope="session")
def streams() -> list[bytes]:
    return make_streams()


@pytest.fixture
def file(tmp_path: Path, streams: list[bytes]) -> Path:
    """A bundle of them, each named."""
    Bundle.write(tmp_path / "some.tkb", streams, NAMES)
    return tmp_path / "some.tkb"


@pytest.fixture
def custom(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tokcodec.Codec:
    """The codec of a model that is not shipped, forgotten after the test."""
    monkeypatch.setattr(registry, "_opened", {})
    arrays = {k: v.copy() for k, v in tokcodec.load().model.arrays.items()}
    arrays["centroids"].flat[0] += 1
    path = tmp_path / "own.safetensors"
    path.write_bytes(Model("own", arrays).save_bytes())
    return tokcodec.load(path)
