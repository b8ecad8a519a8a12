"""The neural decoder: never worse than its linear part for want of training, and its files."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tokcodec import decoders
from tokcodec.coder import codestring
from tokcodec.decoders.linear import linear
from tokcodec.decoders.neural import neural
from tokcodec.decoders.shape import Shape
from tokcodec.decoders.stored import KIND
from tokcodec.decoders.trained import opened
from tokcodec.errors import ArgumentError, DamagedModelError, InputError, ModelMismatchError
from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import order_for

torch = pytest.importorskip("torch")

from safetensors.torch import save  # noqa: E402

from tokcodec.decoders.network import Network  # noqa: E402
from tokcodec.decoders.torch_file import card, read, write  # noqa: E402
from tokcodec.decoders.torch_runtime import TorchRuntime  # noqa: E402

SMALL = Shape((8, 6, 10), (1, 2, 1), 16, (1, 1, 2))
SIZES = [(5, 5), (1, 9), (3, 200), (200, 3), (64, 64), (97, 131)]  # height, width


def random_network(seed: int = 0, shape: Shape = SMALL) -> Network:
    torch.manual_seed(seed)
    network = Network(shape).eval().requires_grad_(False)
    for p in network.parameters():
        torch.nn.init.normal_(p, std=0.1)
    return network


def random_runtime() -> TorchRuntime:
    return TorchRuntime(random_network())


def read_back(picture: np.ndarray, budget: int | None = None) -> Knowledge:
    """What a cut stream tells of a picture; a grey one has one channel."""
    if budget is None:
        budget = 150 if picture.size > 300 else 2  # never nearly all
    grey = bool((picture == picture[..., :1]).all())
    order = order_for(shipped(DEFAULT), *picture.shape[:2], 1 if grey else 3)
    return codestring.read(order, tokcodec.encode(picture, budget=budget, bare=True)).known


def without_colour(picture: np.ndarray) -> np.ndarray:
    return picture[..., 1:2].repeat(3, -1)


def assert_same(one: np.ndarray, two: np.ndarray) -> None:
    """But where a value lies halfway between two."""
    difference = np.abs(one.astype(int) - two)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 2e-3


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_fresh_network_draws_as_the_linear_decoder(
    height: int, width: int, grey: bool, photograph: Callable
) -> None:
    picture = photograph("astronaut", width, height)
    known = read_back(without_colour(picture) if grey else picture)
    whole = linear(known, (width, height))
    for network, same in ((Network(), True), (random_network(), False)):
        drawn = neural(known, (width, height), TorchRuntime(network))
        assert drawn.dtype == np.uint8
        assert drawn.shape == (height, width, 3)
        if same:
            assert_same(drawn, whole)
        else:
            assert np.abs(drawn.astype(int) - whole).max() > 2


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_grey_pictures_stay_grey(height: int, width: int, photograph: Callable) -> None:
    known = read_back(without_colour(photograph("chelsea", width, height)))
    drawn = neural(known, (width, height), random_runtime())
    assert (drawn != linear(known, (width, height))).any()
    assert (drawn == drawn[..., :1]).all()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 4), (3, 4)])
def test_a_picture_of_one_band_has_nothing_to_correct(
    height: int, width: int, photograph: Callable
) -> None:
    known = read_back(photograph("rocket", width, height))
    drawn = neural(known, (width, height), random_runtime())
    assert np.array_equal(drawn, linear(known, (width, height)))


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_strips_leave_no_seam(height: int, width: int, photograph: Callable) -> None:
    known, runtime = read_back(photograph("coffee", width, height)), random_runtime()
    whole = neural(known, (width, height), runtime)
    for strip in (1, 7 * width, 1 << 30):
        assert_same(neural(known, (width, height), runtime, strip=strip), whole)


def test_realism_draws_another_picture_the_same_each_time(photograph: Callable) -> None:
    known, runtime = read_back(photograph("coffee", 90, 70)), random_runtime()
    drawn = [neural(known, (90, 70), runtime, realism) for realism in (0.0, 0.5, 1.0, 1.0)]
    assert (drawn[0] != drawn[1]).any()
    assert (drawn[1] != drawn[2]).any()
    assert np.array_equal(drawn[2], drawn[3])
    assert_same(neural(known, (90, 70), runtime, 1.0, strip=7 * 90), drawn[2])


def test_thumbnails_are_those_of_the_linear_decoder(photograph: Callable) -> None:
    known, runtime = read_back(photograph("retina", 130, 99)), random_runtime()
    for size in ((32, 24), (10, 8), (1, 1)):
        drawn = neural(known, size, runtime)
        assert drawn.shape[0] < 99
        assert np.array_equal(drawn, linear(known, size))
    assert neural(known, (80, 60), runtime).shape == (99, 130, 3)


@pytest.mark.parametrize("budget", [0, 1, 10**6])
def test_nothing_and_everything_known(budget: int, photograph: Callable) -> None:
    known = read_back(photograph("camera", 40, 30), budget)
    assert_same(neural(known, (40, 30), TorchRuntime(Network())), linear(known, (40, 30)))
    assert neural(known, (40, 30), random_runtime()).shape == (30, 40, 3)


# ---- files


def test_a_network_comes_back_from_its_file(tmp_path: Path, photograph: Callable) -> None:
    path, again = tmp_path / "mine.safetensors", tmp_path / "again.safetensors"
    network = random_network()
    write(path, network, {"about": "made by a test"})
    back = read(path)
    assert card(path) == {"about": "made by a test"}
    assert back.shape == SMALL
    assert not any(p.requires_grad for p in back.parameters())
    for name, value in back.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, network.state_dict()[name].half().float())
    write(again, back, card(path))
    assert read(again).state_dict().keys() == network.state_dict().keys()
    known = read_back(photograph("coffee", 70, 50))
    drawn = [neural(known, (70, 50), TorchRuntime(n)) for n in (read(again), back)]
    assert np.array_equal(*drawn)


def test_weights_that_have_changed_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    write(path, random_network(), {})
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    with pytest.raises(DamagedModelError, match=r"mine\.safetensors.*not those"):
        read(path)


def test_a_stream_is_drawn_by_the_decoder_in_a_file(tmp_path: Path, photograph: Callable) -> None:
    path, picture = tmp_path / "mine.safetensors", photograph("coffee", 70, 50)
    stream, known = tokcodec.encode(picture, budget=150), read_back(picture)
    drawn = []
    for seed in (1, 2):  # another file of the same name is read anew
        write(path, random_network(seed), {})
        os.utime(path, (seed, seed))
        drawn.append(np.asarray(tokcodec.decode(stream, decoder=str(path))))
        assert np.array_equal(drawn[-1], neural(known, (70, 50), TorchRuntime(read(path))))
    assert (drawn[0] != drawn[1]).any()


def test_a_decoder_of_other_tokens_is_refused(tmp_path: Path, photograph: Callable) -> None:
    path, stream = tmp_path / "mine.safetensors", tokcodec.encode(photograph("coffee", 70, 50), 50)
    for at, tokens in enumerate(("0" * 64, tokcodec.load().model.tokens_id, None)):
        write(path, random_network(), {"tokens": tokens} if tokens else {})
        os.utime(path, (at, at))
        if tokens == "0" * 64:
            with pytest.raises(ModelMismatchError, match="tokens of another model than pyramid"):
                tokcodec.decode(stream, decoder=path)
        else:
            assert tokcodec.decode(stream, decoder=path).size == (70, 50)


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    path, network = tmp_path / "mine.safetensors", random_network()
    with torch.no_grad():
        network.out.bias[0] = float("nan")
    write(path, network, {})
    with pytest.raises(DamagedModelError, match=r"out\.bias holds what is no number"):
        read(path)


def test_realism_is_the_decoders_own_unless_told(tmp_path: Path, photograph: Callable) -> None:
    path, picture = tmp_path / "mine.safetensors", photograph("coffee", 70, 50)
    stream, known = tokcodec.encode(picture, budget=150), read_back(picture)
    write(path, random_network(), {"realism": 0.75})
    for given, meant in ((None, 0.75), (0, 0.0), (0.2, 0.2), (1.0, 1.0)):
        drawn = tokcodec.decode(stream, decoder=path, realism=given)
        assert np.array_equal(drawn, neural(known, (70, 50), TorchRuntime(read(path)), meant))


def test_realism_that_nobody_trained_is_refused(tmp_path: Path, astronaut: np.ndarray) -> None:
    path, stream = tmp_path / "mine.safetensors", tokcodec.encode(astronaut, budget=10)
    write(path, random_network(shape=replace(SMALL, realism=())), {})
    tokcodec.decode(stream, decoder=path, realism=0.0)
    tokcodec.decode(stream, decoder="linear", realism=0)
    for decoder in (path, "linear"):
        with pytest.raises(ArgumentError, match="realism 0"):
            tokcodec.decode(stream, decoder=decoder, realism=0.5)


@pytest.mark.parametrize("realism", [-0.1, 1.01, float("nan"), "1", True, [0.5]])
def test_realism_lies_between_0_and_1(realism: object, astronaut: np.ndarray) -> None:
    with pytest.raises(ArgumentError, match="realism lies in"):
        tokcodec.decode(tokcodec.encode(astronaut, budget=10), realism=realism)


def file_of(metadata: dict[str, str] | None, weights: Network | None = None) -> bytes:
    tensors = weights.state_dict() if weights else {"a": torch.zeros(3)}
    return save({k: v.contiguous() for k, v in tensors.items()}, metadata)


JSON = SMALL.to_json()
OTHER = Shape((8, 8), (1, 1), 16).to_json()


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"\0" * 100,
        b"\xff" * 100,
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        struct.pack("<Q", 2) + b"{}",
        file_of(None),
        file_of({"kind": KIND, "shape": JSON}),
        file_of(None, random_network()),
        file_of({"shape": JSON}, random_network()),
        file_of({"kind": "pyramid-decoder-0", "shape": JSON}, random_network()),
        file_of({"kind": KIND}, random_network()),
        file_of({"kind": KIND, "shape": "no JSON"}, random_network()),
        file_of({"kind": KIND, "shape": "{}"}, random_network()),
        file_of({"kind": KIND, "shape": JSON.replace("16", "1e400")}, random_network()),
        file_of({"kind": KIND, "shape": OTHER}, random_network()),
        file_of({"kind": KIND, "shape": JSON}, random_network())[:-4],
        file_of({"kind": KIND, "shape": "[" * 100_000}, random_network()),
        *(
            file_of({"kind": KIND, "shape": JSON, "card": said}, random_network())
            for said in (
                "[]",
                "[" * 100_000,
                '{"realism": "high"}',
                '{"realism": null}',
                '{"realism": [1]}',
                '{"realism": 7.5}',
                '{"realism": NaN}',
                '{"realism": true}',
            )
        ),
    ],
)
def test_files_of_other_kinds_are_refused(contents: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    path.write_bytes(contents)
    with pytest.raises(DamagedModelError, match="other"):
        read(path)
    with pytest.raises(DamagedModelError, match="other"):
        opened(path)


def test_weights_of_eight_bits_are_refused(tmp_path: Path) -> None:
    """A type that safetensors knows and numpy does not."""
    path, state = tmp_path / "other.safetensors", random_network().state_dict()
    eighths = {k: v.to(torch.float8_e4m3fn) for k, v in state.items()}
    path.write_bytes(save(eighths, {"kind": KIND, "shape": JSON}))
    with pytest.raises(DamagedModelError, match="other"):
        opened(path)


def test_a_resolution_without_blocks_is_refused(tmp_path: Path) -> None:
    """Its weights may be all there, but nothing could be drawn with it."""
    path, state = tmp_path / "hollow.safetensors", random_network().state_dict()
    state = {k: v for k, v in state.items() if not k.startswith("scales.0.blocks")}
    for name in ("condition.2.weight", "condition.2.bias"):
        state[name] = state[name][2 * SMALL.widths[0] :].contiguous()
    path.write_bytes(save(state, {"kind": KIND, "shape": JSON.replace("[1, 2", "[0, 2")}))
    with pytest.raises(DamagedModelError, match="hollow"):
        read(path)


def test_a_missing_file_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.safetensors", tmp_path):
        for use in (read, opened):
            with pytest.raises(InputError, match=path.name):
                use(path)
    with pytest.raises(InputError, match="cannot read"):
        decoders.find("a\0.safetensors")


def test_a_name_means_another_decoder_in_another_folder(
    tmp_path: Path, photograph: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture, drawn = photograph("coffee", 70, 50), []
    stream, known = tokcodec.encode(picture, budget=150), read_back(picture)
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        folder.mkdir()
        write(folder / "mine.safetensors", random_network(seed), {})
        os.utime(folder / "mine.safetensors", (1, 1))
        monkeypatch.chdir(folder)
        drawn.append(np.asarray(tokcodec.decode(stream, decoder="mine.safetensors")))
        network = read(folder / "mine.safetensors")
        assert np.array_equal(drawn[-1], neural(known, (70, 50), TorchRuntime(network)))
    assert (drawn[0] != drawn[1]).any()


def drawn_as(known: Knowledge, **where) -> np.ndarray:
    size = known.order.width, known.order.height
    return decoders.find("neural", 1.0, **where)(known, size)


def test_half_precision_draws_nearly_the_same(photograph: Callable[..., np.ndarray]) -> None:
    known = read_back(photograph("chelsea", 96, 64))
    whole, half = drawn_as(known, dtype="float32"), drawn_as(known, dtype=torch.bfloat16)
    assert np.array_equal(whole, drawn_as(known, device="cpu"))
    assert not np.array_equal(whole, half)
    assert np.abs(whole.astype(int) - half).mean() < 0.5


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device at hand")
def test_a_gpu_draws_nearly_the_same(photograph: Callable[..., np.ndarray]) -> None:
    known = read_back(photograph("chelsea", 96, 64))
    whole, there = drawn_as(known), drawn_as(known, device="cuda")
    assert np.abs(whole.astype(int) - there).mean() < 0.1  # TF32 rounds


@pytest.mark.parametrize(
    ("name", "where", "match"),
    [
        ("auto", {"device": "toaster"}, "no device"),
        ("neural", {"device": "cuda:99"}, "cannot be used"),
        ("neural", {"device": "meta"}, "cannot be used"),
        ("neural", {"dtype": "int8"}, "dtype is one of"),
        ("onnx", {"device": "cuda"}, "ONNX Runtime works on the CPU"),
        ("linear", {"device": "cuda"}, "works on the CPU"),
        ("realesrgan", {"dtype": "bfloat16"}, "works on the CPU"),
    ],
)
def test_devices_and_precisions_that_are_not_there(name: str, where: dict, match: str) -> None:
    with pytest.raises(ArgumentError, match=match):
        decoders.find(name, **where)
