"""Which decoder draws: one in a file or the shipped one, and what is told without a package."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tests.decoders.small import (
    SMALL,
    as_file,
    random_decoder,
    read_back,
)
from tokcodec import decoders
from tokcodec.decoders import trained
from tokcodec.decoders.linear import linear
from tokcodec.decoders.neural import neural
from tokcodec.errors import ArgumentError

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

from tokcodec.decoders.onnx_runtime import OnnxRuntime  # noqa: E402


def test_a_stream_is_drawn_by_the_decoder_in_a_file(tmp_path: Path, photograph: Callable) -> None:
    path, picture = tmp_path / "mine.onnx", photograph("coffee", 70, 50)
    stream, known = tokcodec.encode(picture, budget=150), read_back(picture)
    drawn = []
    for seconds, about in enumerate(({}, {"realism": 0.75}), start=1):
        kept = random_decoder(about=about)
        as_file(kept, path)
        os.utime(path, (seconds, seconds))  # another file of the same name is read anew
        drawn.append(np.asarray(tokcodec.decode(stream, decoder=path)))
        expected = neural(known, (70, 50), OnnxRuntime(kept), about.get("realism", 0.0))
        assert np.array_equal(drawn[-1], expected)
    assert (drawn[0] != drawn[1]).any()
    assert trained.opened(path)[0] is trained.opened(path)[0]  # and not anew otherwise


def test_realism_that_nobody_trained_is_refused(tmp_path: Path, astronaut: np.ndarray) -> None:
    path, stream = tmp_path / "mine.onnx", tokcodec.encode(astronaut, budget=10)
    as_file(random_decoder(replace(SMALL, realism=())), path)
    tokcodec.decode(stream, decoder=path, realism=0.0)
    with pytest.raises(ArgumentError, match="realism 0"):
        tokcodec.decode(stream, decoder=path, realism=0.5)


def without(monkeypatch: pytest.MonkeyPatch, *packages: str) -> None:
    """As if those were not installed."""
    found = lambda name: None if name in packages else find_spec(name)  # noqa: E731
    monkeypatch.setattr(trained, "find_spec", found)


def test_by_name_the_shipped_decoder_draws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photograph: Callable
) -> None:
    picture, kept = photograph("coffee", 70, 50), random_decoder()
    stream, known = tokcodec.encode(picture, budget=150), read_back(picture)
    monkeypatch.setattr(decoders, "SHIPPED", tmp_path / "shipped.safetensors")
    with pytest.raises(ArgumentError, match="shipped"):
        tokcodec.decode(stream, decoder="onnx")
    kept.about["tokens"] = tokcodec.load().model.tokens_id
    as_file(kept, decoders.SHIPPED)
    drawn = np.asarray(tokcodec.decode(stream, decoder="onnx"))
    assert np.array_equal(drawn, neural(known, (70, 50), OnnxRuntime(kept), 0.75))
    without(monkeypatch, "torch")
    for decoder in ("auto", decoders.SHIPPED):
        assert np.array_equal(np.asarray(tokcodec.decode(stream, decoder=decoder)), drawn)
    without(monkeypatch, "torch", "onnxruntime")
    whole = linear(known, (70, 50))
    assert np.array_equal(np.asarray(tokcodec.decode(stream)), whole)
    with pytest.raises(ArgumentError, match=r"tokcodec\[onnx\]"):
        tokcodec.decode(stream, realism=0.5)


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime"])
def test_what_is_not_installed_is_told(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoders, "SHIPPED", tmp_path / "shipped.safetensors")
    path = as_file(random_decoder(), tmp_path / "mine.onnx")
    as_file(random_decoder(), decoders.SHIPPED)
    without(monkeypatch, missing)
    for name in ("onnx", path):
        with pytest.raises(ArgumentError, match=r"tokcodec\[onnx\]"):
            decoders.find(name)
    for dtype in ("bfloat16", "float32"):  # torch would run it, but not read it
        with pytest.raises(ArgumentError, match=r"tokcodec\[onnx\]"):
            decoders.find(path, dtype=dtype)
    without(monkeypatch, missing, "torch")
    with pytest.raises(ArgumentError, match=r"tokcodec\[neural\].*tokcodec\[onnx\]"):
        decoders.find(decoders.SHIPPED)


@pytest.mark.parametrize("torch", ["there", "not there"])
def test_no_torch_is_imported(torch: str, tmp_path: Path, astronaut: np.ndarray) -> None:
    stream, path = tmp_path / "a.tkc", tmp_path / "mine.onnx"
    source = as_file(random_decoder(), tmp_path / "mine.safetensors")
    stream.write_bytes(tokcodec.encode(astronaut, budget=50))
    code = (
        "import sys\n"
        + ("sys.modules['torch'] = None\n" if torch == "not there" else "")
        + "from tokcodec.cli import main\n"
        f"assert main(['export', 'decoder', '--decoder', {str(source)!r}, "
        f"'--onnx', {str(path)!r}]) == 0\n"
        f"assert main(['decode', {str(stream)!r}, '--decoder', {str(path)!r}]) == 0\n"
        "assert sys.modules.get('torch') is None\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "a.png").exists()
