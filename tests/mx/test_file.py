"""Files of weights to quantised ones, and back; what is broken is refused."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save

import tokcodec
from tokcodec.decoders import SHIPPED, stored
from tokcodec.decoders.stored import Stored
from tokcodec.errors import ArgumentError, DamagedModelError, InputError, TokCodecError
from tokcodec.mx import file
from tokcodec.mx.file import load, opened, quantised
from tokcodec.mx.formats import FORMATS, find
from tokcodec.psnr import psnr

pytest.importorskip("ml_dtypes")

CARD = {"kind": "a test", "card": '{"licence": "CC0"}'}


def weights() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    return {
        "linear.weight": generator.normal(0, 0.1, (8, 75)).astype(np.float32),
        "linear.bias": generator.normal(0, 0.1, 8).astype(np.float32),
        "conv.weight": generator.normal(0, 0.1, (6, 12, 3, 3)).astype(np.float16),
        "norm.variance": np.array([1e-9, 1e9], np.float32),
        "token": generator.normal(0, 1, (1, 1, 64)).astype(np.float32),
        "count": np.array(77, np.int64),
    }


@pytest.fixture
def original(tmp_path: Path) -> Path:
    path = tmp_path / "original.safetensors"
    path.write_bytes(save(weights(), CARD))
    return path


@pytest.fixture
def small(original: Path, tmp_path: Path) -> Path:
    path = tmp_path / "small.safetensors"
    path.write_bytes(quantised(original, find("mxfp6")))
    return path


def rewritten(path: Path, change: Callable[[dict, dict], object], signed: bool = True) -> Path:
    """A file changed by hand, with a hash that fits unless not `signed`."""
    from safetensors import safe_open

    tensors = load_tensors(path.read_bytes())
    with safe_open(path, "np") as f:
        metadata = f.metadata()
    change(metadata, tensors)
    if signed:
        metadata[file.HASH] = file._digest(metadata, tensors)
    path.write_bytes(save(tensors, metadata))
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_weights_come_back_from_a_file(name: str, original: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    path.write_bytes(quantised(original, find(name)))
    before, after = load(original), load(path)
    assert after.keys() == before.keys() == weights().keys()
    for key in ("linear.weight", "conv.weight"):
        assert after[key].dtype == np.float32
        assert after[key].shape == before[key].shape
        assert 0 < np.abs(after[key] - before[key]).max() < 0.1
    for key, kind in (("linear.bias", "f2"), ("token", "f2"), ("norm.variance", "f4")):
        assert after[key].dtype == kind
        assert np.allclose(after[key], before[key], rtol=2.0**-11, atol=0)
    assert after["count"] == 77


def test_a_file_says_what_it_is_and_where_it_comes_from(original: Path, small: Path) -> None:
    with opened(small) as f:
        assert f.metadata.items() >= CARD.items()
        assert f.metadata["mx_format"] == "mxfp6"
        assert f.metadata["quantised_from"] == hashlib.sha256(original.read_bytes()).hexdigest()
        shapes = json.loads(f.metadata["mx_shapes"])
        assert shapes == {"linear.weight": [8, 75], "conv.weight": [6, 12, 3, 3]}
        mine = f.metadata["mx_sha256"]
    tensors = load_tensors(small.read_bytes())
    assert tensors["linear.weight.mx_elements"].shape == (8, 96 * 6 // 8)
    assert tensors["linear.weight.mx_scales"].shape == (8, 3)
    small.write_bytes(quantised(original, find("mxfp6")))
    with opened(small) as f:
        assert f.metadata["mx_sha256"] == mine


def test_some_weights_can_stay(original: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    path.write_bytes(quantised(original, find("mxfp4"), keep=["conv.*"]))
    assert np.array_equal(load(path)["conv.weight"], weights()["conv.weight"])
    assert (load(path)["linear.weight"] != weights()["linear.weight"]).any()
    with pytest.raises(ArgumentError, match=r"no weight of the name head\.\*"):
        quantised(original, find("mxfp4"), keep=["conv.*", "head.*"])


def test_bfloat16_is_taken_too(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    x = torch.from_numpy(weights()["linear.weight"]).bfloat16()
    half, whole = tmp_path / "half.safetensors", tmp_path / "whole.safetensors"
    save_file({"a": x, "b": x[0].clone()}, half)
    save_file({"a": x.float(), "b": x[0].float()}, whole)
    tensors = [load_tensors(quantised(p, find("mxfp8"))) for p in (half, whole)]
    for name, value in tensors[0].items():
        assert np.array_equal(value, tensors[1][name])


# ---- the shipped decoder


@pytest.mark.parametrize(("name", "lost"), [("mxint8", 0.02), ("mxfp6", 0.05), ("mxfp4", 0.2)])
@pytest.mark.parametrize("package", ["torch", "onnxruntime"])
def test_the_shipped_decoder_draws_nearly_the_same(
    name: str, lost: float, package: str, tmp_path: Path, photograph: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    pytest.importorskip(package)
    if package == "onnxruntime":
        monkeypatch.setattr("tokcodec.decoders.trained.best_way", lambda: "onnx")
    path, picture = tmp_path / "small.safetensors", photograph("coffee", 192, 128)
    path.write_bytes(quantised(SHIPPED, find(name)))
    assert stored.read(path).about == stored.read(SHIPPED).about
    stream = tokcodec.encode(picture, max_bytes=400)
    for realism in (0.0, 1.0):
        whole, less = (
            np.asarray(tokcodec.decode(stream, decoder=d, realism=realism)) for d in (SHIPPED, path)
        )
        assert (whole != less).any()
        assert psnr(less, picture) > psnr(whole, picture) - lost
        assert psnr(less, whole) > 36


# ---- what is refused


def test_nothing_is_quantised_twice(small: Path) -> None:
    with pytest.raises(ArgumentError, match="already"):
        quantised(small, find("mxfp4"))


def test_a_prior_is_no_network() -> None:
    with pytest.raises(ArgumentError, match="nothing to quantise"):
        quantised(SHIPPED.with_name("pyramid.safetensors"), find("mxfp8"))


@pytest.mark.parametrize("name", ["linear.weight", "linear.bias"])
@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(name: str, odd: float, original: Path) -> None:
    tensors = weights()
    tensors[name].flat[3] = odd
    original.write_bytes(save(tensors))
    if odd == np.inf and name == "linear.bias":  # kept as it is: masks hold infinities
        assert load_tensors(quantised(original, find("mxfp6")))[name][3] == np.inf
        return
    with pytest.raises(InputError, match=rf"{name} of .*original.*(NaN|not finite)"):
        quantised(original, find("mxfp6"))


@pytest.mark.parametrize("contents", [b"", b"\0" * 100, b"\x89PNG\r\n\x1a\n" + bytes(50)])
def test_other_files_are_refused(contents: bytes, original: Path) -> None:
    original.write_bytes(contents)
    for use in (load, lambda path: quantised(path, find("mxfp6"))):
        with pytest.raises(DamagedModelError, match="original"):
            use(original)


def test_truncated_files_are_refused(small: Path) -> None:
    whole = small.read_bytes()
    for length in (4, 100, len(whole) // 2, len(whole) - 1):
        small.write_bytes(whole[:length])
        with pytest.raises(DamagedModelError, match="small"):
            load(small)


def test_a_missing_file_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.safetensors", tmp_path):
        with pytest.raises(InputError, match=path.name):
            load(path)


def test_types_that_numpy_has_not_are_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    path = tmp_path / "eight.safetensors"
    save_file({"a": torch.zeros(2, 64, dtype=torch.float8_e4m3fn)}, path)
    with pytest.raises(DamagedModelError, match=r"cannot read a of .*eight"):
        quantised(path, find("mxfp6"))


def test_every_damaged_byte_is_noticed(small: Path) -> None:
    whole = small.read_bytes()
    for place in range(8, len(whole), 61):
        small.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(TokCodecError, match="small"):
            load(small)


def test_a_wrong_hash_is_refused(small: Path) -> None:
    rewritten(small, lambda m, _: m.update({file.ORIGIN: "0" * 64}), signed=False)
    with pytest.raises(DamagedModelError, match=r"small.*hash"):
        load(small)


def scales_of(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[dict, dict], None]:
    def changed(_: dict, tensors: dict) -> None:
        name = "linear.weight" + file.SCALES
        tensors[name] = np.ascontiguousarray(change(tensors[name]))

    return changed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (scales_of(lambda x: x[:, :2]), "mx_scales"),
        (scales_of(lambda x: x.T), "mx_scales"),
        (scales_of(lambda x: x.astype(np.int16)), "mx_scales"),
        (scales_of(lambda x: np.full_like(x, 255)), "not finite"),
        (lambda _, t: t.pop("linear.weight" + file.SCALES), "mx_scales"),
        (lambda _, t: t.pop("conv.weight" + file.ELEMENTS), "mx_elements"),
        (lambda _, t: t.update({"linear.weight": np.zeros(3)}), "two of linear.weight"),
        (lambda m, _: m.update({file.FORMAT: "mxfp5"}), "format 'mxfp5'"),
        (lambda m, _: m.update({file.FORMAT: "mxfp4"}), "mx_elements"),
        (lambda m, _: m.pop(file.SHAPES), "shapes"),
        (lambda m, _: m.update({file.SHAPES: "[1, 2]"}), "shapes"),
        (lambda m, _: m.update({file.SHAPES: '{"linear.weight": 3}'}), "shapes"),
        (lambda m, _: m.update({file.SHAPES: '{"linear.weight": [8, -75]}'}), "shape"),
        (lambda m, _: m.update({file.SHAPES: '{"linear.weight": [8, 1e9]}'}), "shape"),
        (
            lambda m, _: m.update({file.SHAPES: json.dumps({"linear.weight": [8, 75] + 70 * [1]})}),
            "shape",
        ),
        (lambda m, _: m.update({file.SHAPES: f'{{"linear.weight": [{10**30}, 9]}}'}), "mx_elem"),
    ],
)
def test_files_that_do_not_hold_together_are_refused(
    change: Callable[[dict, dict], object], said: str, small: Path
) -> None:
    rewritten(small, change)
    with pytest.raises(DamagedModelError, match=f"small.*damaged.*{said}"):
        load(small)


def test_a_quantised_file_of_another_kind_is_no_decoder(small: Path, tmp_path: Path) -> None:
    with pytest.raises(DamagedModelError, match=r"small.*no decoder"):
        stored.read(small)
    path = tmp_path / "other.safetensors"
    kept = Stored(stored.read(SHIPPED).shape, {}, {})
    path.write_bytes(save(weights(), kept.metadata()))
    small.write_bytes(quantised(path, find("mxfp8")))
    with pytest.raises(DamagedModelError, match=r"small.*missing or unknown"):
        stored.read(small)


def test_what_is_missing_is_named(
    small: Path, original: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    for use in (load, stored.read, lambda _: quantised(original, find("mxfp6"))):
        with pytest.raises(ArgumentError, match=r"tokcodec\[mx\]"):
            use(small)
    assert load(original).keys() == weights().keys()
