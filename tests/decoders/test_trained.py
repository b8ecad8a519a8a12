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
from tokcodec.errors import ArgumentError, DamagedModelError, ModelMismatchError
from tokcodec.registry import PYRAMIDS

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


def test_a_card_may_tell_the_tokens_of_several_models(
    tmp_path: Path, astronaut: np.ndarray
) -> None:
    path = tmp_path / "mine.onnx"
    streams = [tokcodec.encode(astronaut, budget=60, model=name) for name in PYRAMIDS]
    known = {name: tokcodec.load(name).model.tokens_id for name in PYRAMIDS}
    for tokens in (known["pyramid"], [known["pyramid"]], sorted(set(known.values()))):
        as_file(random_decoder(about={"tokens": tokens}), path)
        for name, stream in zip(PYRAMIDS, streams, strict=True):
            if known[name] in tokens:
                assert tokcodec.decode(stream, decoder=path).size == astronaut.shape[1::-1]
            else:
                with pytest.raises(ModelMismatchError, match="another model"):
                    tokcodec.decode(stream, decoder=path)


def test_by_default_the_network_draws_all_shipped_pyramids(astronaut: np.ndarray) -> None:
    for name in PYRAMIDS:
        stream = tokcodec.encode(astronaut, budget=60, model=name)
        drawn = [
            np.asarray(tokcodec.decode(stream, decoder=way)) for way in ("onnx", "auto", "linear")
        ]
        assert np.abs(drawn[0].astype(int) - drawn[1]).max() <= 1
        assert (drawn[0] != drawn[2]).any()


@pytest.mark.parametrize("tokens", [5, [5], {"a": 1}])
def test_a_card_whose_tokens_are_no_text_is_refused(
    tokens: object, tmp_path: Path, astronaut: np.ndarray
) -> None:
    path = as_file(random_decoder(about={"tokens": tokens}), tmp_path / "mine.safetensors")
    with pytest.raises(DamagedModelError, match="no decoder"):
        tokcodec.decode(tokcodec.encode(astronaut, budget=9), decoder=path)


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
