"""How much the network counts: in full for photographs, not at all for what is nearly perfect."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tokcodec
from tokcodec import reference as references
from tokcodec.coder import codestring
from tokcodec.decoders.blend import share, shares
from tokcodec.decoders.linear import linear
from tokcodec.psnr import psnr
from tokcodec.registry import DEFAULT, shipped
from tokcodec.stream import header as headers
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import order_for

MODEL = shipped(DEFAULT)


def read_back(picture: np.ndarray, **limit: float) -> Knowledge:
    grey = bool((picture == picture[..., :1]).all())
    order = order_for(MODEL, *picture.shape[:2], 1 if grey else 3)
    return codestring.read(order, tokcodec.encode(picture, bare=True, **limit)).known


def gradient(side: int) -> np.ndarray:
    across = np.linspace(0, 255, side)
    planes = np.broadcast_arrays(across, across[:, None], 128.0)
    return np.rint(np.stack(planes, -1)).astype(np.uint8)


@pytest.mark.parametrize("name", ["astronaut", "chelsea", "coffee", "camera"])
def test_it_fades_between_the_decibels_that_the_linear_decoder_has(
    name: str, photograph: Callable
) -> None:
    picture = photograph(name, 144, 112)
    for decibels, least, most in ((24, 1, 1), (30, 1, 1), (40, 0.1, 0.9), (48, 0, 0)):
        known = read_back(picture, psnr=decibels)
        assert psnr(linear(known, (144, 112)), picture) == pytest.approx(decibels, abs=0.2)
        assert least <= share(known) <= most


def test_any_number_of_tokens_of_a_photograph_counts_in_full_at_first(
    astronaut: np.ndarray,
) -> None:
    for budget in (1, 10, 100, 400, 1600):
        assert share(read_back(astronaut, budget=budget)) == 1


def test_what_a_reference_tells_is_not_taken_for_zeros(photograph: Callable) -> None:
    picture = photograph("coffee", 128, 96)
    other = picture.copy()
    other[30:60, 30:60] = picture[::-1][30:60, 30:60]
    key = tokcodec.encode(picture, psnr=28)
    data = tokcodec.encode(other, psnr=28, reference=key)
    header, length = headers.parse(data)
    order = references.onto(order_for(MODEL, 96, 128, 3), header, key)
    assert order.base is not None
    for size in (len(data), length + 5):
        assert share(codestring.read(order, data[length:size]).known) == 1


def test_of_nothing_known_it_counts_in_full() -> None:
    for size in ((1, 1), (5, 90), (64, 64)):
        assert share(Knowledge(order_for(MODEL, *size, 3))) == 1


def test_many_pictures_at_once_are_as_each_alone() -> None:
    order, rng = order_for(MODEL, 40, 30, 3), np.random.default_rng(0)
    planes = rng.uniform(0, 7, (5, len(order.bands)))
    lit, mean = rng.uniform(0, 0.1, planes.shape), rng.uniform(0, 3, planes.shape)
    alone = [shares(order, *(x[i : i + 1] for x in (planes, lit, mean)))[0] for i in range(5)]
    assert np.allclose(shares(order, planes, lit, mean), alone)


@pytest.mark.parametrize("bits", [0.02, 0.06, 0.125, 0.25])  # a pixel: 45 to 66 dB
def test_the_network_does_a_gradient_no_harm(bits: float) -> None:
    pytest.importorskip("torch")
    picture = gradient(320)
    data = tokcodec.encode(picture, max_bytes=round(bits * 320 * 320 / 8))
    drawn, plain = (
        psnr(np.asarray(tokcodec.decode(data, decoder=d, realism=0)), picture)
        for d in ("auto", "linear")
    )
    assert plain > 45
    assert drawn > plain - 0.3


def test_it_counts_as_much_as_it_says(
    photograph: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half way between the linear decoder's picture and the network's own."""
    pytest.importorskip("torch")
    from tokcodec.decoders import neural as drawing

    data = tokcodec.encode(photograph("coffee", 96, 80), max_bytes=400)
    pictures = []
    for counts in (0.0, 0.5, 1.0):
        monkeypatch.setattr(drawing, "share", lambda known, counts=counts: counts)
        pictures.append(np.asarray(tokcodec.decode(data, decoder="neural", realism=0), float))
    assert np.array_equal(pictures[0], np.asarray(tokcodec.decode(data, decoder="linear")))
    half, mean = pictures[1], (pictures[0] + pictures[2]) / 2
    assert np.abs(pictures[2] - pictures[0]).mean() > 1
    assert np.abs(half - mean).mean() < 0.6  # rounding, and what intervals cut off
