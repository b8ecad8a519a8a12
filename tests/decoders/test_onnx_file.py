"""Decoders in .onnx files: valid models that tell what they are; others and damage are refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.decoders.small import (
    SHAPES,
    SMALL,
    as_file,
    random_decoder,
)
from tokcodec import decoders
from tokcodec.decoders import trained
from tokcodec.decoders.received import RECEIVED
from tokcodec.decoders.shape import Shape
from tokcodec.decoders.stored import Stored
from tokcodec.errors import DamagedModelError, InputError

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

from tokcodec.decoders.onnx_file import read, to_bytes  # noqa: E402


@pytest.mark.parametrize("shape", [*SHAPES, Shape()])
def test_an_exported_file_is_a_valid_model_that_tells_what_it_is(
    shape: Shape, tmp_path: Path
) -> None:
    kept = random_decoder(shape, {"realism": 0.5, "model": "x"})
    path = as_file(kept, tmp_path / "mine.onnx")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert {p.key: p.value for p in model.metadata_props} == kept.metadata()
    assert "bands_0" in model.doc_string
    names = [f"bands_{i}" for i in range(len(shape.widths))]
    assert [i.name for i in model.graph.input] == [*names, "received", "realism"]
    assert [o.name for o in model.graph.output] == ["correction"]
    back = read(path)
    assert (back.shape, back.about) == (kept.shape, kept.about)
    assert back.weights.keys() == kept.weights.keys()
    for name, value in back.weights.items():
        assert value.dtype == np.float16
        assert np.array_equal(value, kept.weights[name])
    assert to_bytes(back) == to_bytes(kept)


def test_weights_may_be_in_full_precision(tmp_path: Path) -> None:
    half = random_decoder()
    full = Stored(SMALL, {k: w.astype(np.float32) for k, w in half.weights.items()}, {})
    path = as_file(full, tmp_path / "full.onnx")
    assert all(w.dtype == np.float32 for w in read(path).weights.values())
    given = {f"bands_{i}": np.ones((1, 12, 16 >> i, 16 >> i), np.float32) for i in range(3)}
    given |= {"received": np.ones((1, RECEIVED), np.float32), "realism": np.ones(1, np.float32)}
    one, two = (
        ort.InferenceSession(to_bytes(d), providers=["CPUExecutionProvider"]).run(None, given)[0]
        for d in (half, full)
    )
    assert np.allclose(one, two, atol=1e-3)


def changed(**changes: str) -> bytes:
    """A decoder's file that says something else of itself; an empty text: nothing."""
    model = onnx.load_model_from_string(to_bytes(random_decoder()))
    said = {p.key: p.value for p in model.metadata_props} | changes
    onnx.helper.set_model_props(model, {k: v for k, v in said.items() if v})
    return model.SerializeToString()


def with_weights(change: Callable[[onnx.TensorProto], None], name: str = "out.bias") -> bytes:
    model = onnx.load_model_from_string(to_bytes(random_decoder()))
    change(next(t for t in model.graph.initializer if t.name == name))
    return model.SerializeToString()


def elsewhere(tensor: onnx.TensorProto) -> None:
    """A weight kept in another file, as ONNX allows: any file of the machine."""
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")


OTHER = Shape((8, 8), (1, 1), 16).to_json()


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"\0" * 100,
        b"\xff" * 100,
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        to_bytes(random_decoder())[:-200],
        to_bytes(random_decoder())[:5000],
        changed(kind=""),
        changed(kind="pyramid-decoder-0"),
        changed(shape=""),
        changed(shape="no JSON"),
        changed(shape=OTHER),
        changed(card="[]"),
        changed(card="{"),
        with_weights(lambda t: setattr(t, "name", "out.other")),
        with_weights(lambda t: setattr(t, "raw_data", t.raw_data[:-2])),
        with_weights(lambda t: setattr(t, "data_type", onnx.TensorProto.INT16)),
        with_weights(lambda t: setattr(t, "data_type", 99)),
        with_weights(lambda t: t.dims.append(1)),
        with_weights(elsewhere),
    ],
)
def test_files_of_other_kinds_are_refused(contents: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(contents)
    for use in (read, trained.opened, decoders.find):
        with pytest.raises(DamagedModelError, match="other"):
            use(path)


@pytest.mark.parametrize("damage", [b"\x01\x02\x03\x04", b"\xff\xff\xff\xff"])
def test_weights_that_have_changed_are_refused(damage: bytes, tmp_path: Path) -> None:
    kept = random_decoder()
    weight = kept.weights["scales.0.embed.weight"]
    path, whole = tmp_path / "bent.onnx", bytearray(to_bytes(kept))
    at = whole.index(weight.tobytes()[:64])
    whole[at : at + 4] = damage
    path.write_bytes(whole)
    with pytest.raises(DamagedModelError, match=r"not those it was written with|no number"):
        read(path)


def test_damage_is_told_or_does_no_harm(tmp_path: Path) -> None:
    path, whole = tmp_path / "bent.onnx", to_bytes(random_decoder())
    generator = np.random.default_rng(0)
    noise_at = whole.index(b"noise")
    places = [*generator.integers(0, len(whole), 50), *generator.integers(0, 6000, 150)]
    for at in [*places, *(len(whole) - generator.integers(1, 6000, 150)), noise_at]:
        bent = bytearray(whole)
        bent[at] ^= 1 << generator.integers(8)
        path.write_bytes(bent)
        try:
            assert read(path).shape.widths
        except DamagedModelError:
            continue


def test_a_missing_file_cannot_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "folder.onnx"
    folder.mkdir()
    for path in (tmp_path / "nowhere.onnx", folder):
        for use in (read, decoders.find):
            with pytest.raises(InputError, match=path.name):
                use(path)
