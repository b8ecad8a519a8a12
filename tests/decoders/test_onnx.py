"""The neural decoder without torch: the same picture, from a file that any ONNX runtime runs."""

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
from tokcodec import decoders
from tokcodec.cli import main
from tokcodec.coder import codestring
from tokcodec.decoders import trained
from tokcodec.decoders.linear import linear
from tokcodec.decoders.neural import neural
from tokcodec.decoders.received import RECEIVED, received_planes
from tokcodec.decoders.shape import Shape
from tokcodec.decoders.steps import Step, climb, merge, stacked
from tokcodec.decoders.stored import Stored
from tokcodec.decoders.strips import correction
from tokcodec.errors import ArgumentError, DamagedModelError, InputError
from tokcodec.registry import shipped
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import order_for
from tokcodec.tokens.reconstruction import dequantise

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

from tokcodec.decoders.onnx_file import read, to_bytes  # noqa: E402
from tokcodec.decoders.onnx_runtime import OnnxRuntime  # noqa: E402

SMALL = Shape((8, 6, 10), (1, 2, 1), 16, (1, 1, 2))
SHAPES = [Shape((8,), (2,), 8), Shape((8, 6), (2, 1), 8, (2, 1)), SMALL]
SIZES = [(5, 5), (1, 9), (3, 200), (200, 3), (300, 1), (64, 64), (97, 131)]  # height, width


def random_decoder(shape: Shape = SMALL, about: dict | None = None) -> Stored:
    generator = np.random.default_rng(0)
    weights = {
        name: generator.normal(0, 0.1, size).astype(np.float16)
        for name, size in shape.parameters().items()
    }
    return Stored(shape, weights, {"realism": 0.75} if about is None else about)


def as_file(kept: Stored, path: Path) -> Path:
    """In the form that its suffix tells."""
    from safetensors.numpy import save

    onnx_wanted = path.suffix == ".onnx"
    path.write_bytes(to_bytes(kept) if onnx_wanted else save(kept.weights, kept.metadata()))
    return path


def read_back(picture: np.ndarray, budget: int = 150) -> Knowledge:
    """What a cut stream tells of a picture; a grey one has one channel."""
    grey = bool((picture == picture[..., :1]).all())
    order = order_for(shipped("pyramid"), *picture.shape[:2], 1 if grey else 3)
    return codestring.read(order, tokcodec.encode(picture, budget=budget, bare=True)).known


def steps_of(known: Knowledge) -> list[Step[np.ndarray]]:
    """The steps up of a picture in colour."""
    each = len(known.order.bands) // 3
    bands = [
        np.stack([dequantise(known, c * each + i) for c in range(3)])[None] for i in range(each)
    ]
    return climb(bands, known.order.height, known.order.width, merge)


def fed(steps: list[Step[np.ndarray]], told: np.ndarray, realism: float, count: int) -> dict:
    """What goes into a whole model of `count` resolutions: one picture."""
    bands = [stacked(s) for s in reversed(steps)][:count]
    bands += [np.zeros((1, 12, 1, 1), np.float32)] * (count - len(bands))
    given = {f"bands_{i}": b for i, b in enumerate(bands)}
    return given | {"received": told, "realism": np.full(1, realism, np.float32)}


# ---- the same as torch


@pytest.mark.parametrize("shape", SHAPES, ids=["one", "two", "three"])
@pytest.mark.parametrize("realism", [0.0, 0.6])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_correction_is_that_of_torch(
    height: int, width: int, realism: float, shape: Shape, photograph: Callable
) -> None:
    """In strips and whole, and of the exported model by itself."""
    torch = pytest.importorskip("torch")
    from tokcodec.decoders.torch_file import network_of

    kept, known = random_decoder(shape), read_back(photograph("coffee", width, height))
    steps, told = steps_of(known), received_planes(known)
    bands = [torch.from_numpy(stacked(s)) for s in reversed(steps)]
    given = torch.from_numpy(told), torch.full((1,), realism)
    whole = network_of(kept)(bands, *given).numpy()
    assert np.abs(whole).max() > 1
    near = 1e-4 * max(1.0, float(np.abs(whole).max()))
    for rows in (1, 7, 1000):
        strips = correction(OnnxRuntime(kept), steps, told, realism, rows)
        found = np.concatenate([part for _, _, part in strips], -2)
        assert found.shape == whole.shape
        assert np.abs(found - whole).max() < near
    session = ort.InferenceSession(to_bytes(kept), providers=["CPUExecutionProvider"])
    (alone,) = session.run(["correction"], fed(steps, told, realism, len(shape.widths)))
    assert alone.shape == whole.shape
    assert np.abs(alone - whole).max() < near


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(("height", "width"), [*SIZES, (300, 410)])
def test_the_picture_is_that_of_torch(
    height: int, width: int, grey: bool, photograph: Callable
) -> None:
    pytest.importorskip("torch")
    from tokcodec.decoders.torch_file import network_of
    from tokcodec.decoders.torch_runtime import TorchRuntime

    picture, kept = photograph("astronaut", width, height), random_decoder()
    budget = min(150, picture.size // 20)  # never nearly all
    known = read_back(picture[..., 1:2].repeat(3, -1) if grey else picture, budget)
    one = neural(known, (width, height), OnnxRuntime(kept), 0.5, strip=50 * width)
    two = neural(known, (width, height), TorchRuntime(network_of(kept)), 0.5)
    if width * height > 100:  # smaller ones leave the network little freedom
        assert (one != linear(known, (width, height))).any()
    difference = np.abs(one.astype(int) - two)
    assert difference.max() <= 1  # where a value lies halfway between two
    assert (difference > 0).mean() < 2e-3


def test_a_model_works_on_many_pictures_at_once(photograph: Callable) -> None:
    session = ort.InferenceSession(to_bytes(random_decoder()), providers=["CPUExecutionProvider"])
    given, alone = [], []
    for i, name in enumerate(("chelsea", "coffee", "rocket")):
        known = read_back(photograph(name, 41, 30))
        given.append(fed(steps_of(known), received_planes(known), i / 2, 3))
        alone.append(session.run(None, given[-1])[0])
    together = {name: np.concatenate([g[name] for g in given]) for name in given[0]}
    assert np.allclose(session.run(None, together)[0], np.concatenate(alone), atol=1e-3)


# ---- files


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


# ---- export


def test_the_command_exports_a_decoder(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    source, out = tmp_path / "mine.safetensors", tmp_path / "mine.onnx"
    kept = random_decoder()
    as_file(kept, source)
    command = ["export", "decoder", "--decoder", str(source), "--onnx", str(out)]
    assert main(command) == 0
    assert out.read_bytes() == to_bytes(kept)
    assert main(command) == 1
    assert "exists already" in capsys.readouterr().err
    assert main([*command, "--force"]) == 0
    out.unlink()
    source.write_bytes(b"nothing")
    assert main(command) == 1
    assert "no decoder" in capsys.readouterr().err
    assert not out.exists()


def test_the_shipped_decoder_is_exported_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    out, kept = tmp_path / "mine.onnx", random_decoder()
    monkeypatch.setattr(decoders, "SHIPPED", tmp_path / "none.safetensors")
    assert main(["export", "decoder", "--onnx", str(out)]) == 1
    assert "--decoder" in capsys.readouterr().err
    as_file(kept, decoders.SHIPPED)
    assert main(["export", "decoder", "--onnx", str(out)]) == 0
    assert out.read_bytes() == to_bytes(kept)


# ---- which decoder


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
