"""What is drawn could have been sent: it gives the same digits again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tokcodec
from tokcodec.coder import codestring
from tokcodec.decoders.consistent import consistent, interval
from tokcodec.pixels import colour
from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import order_for
from tokcodec.tokens.transform import analyse, split_all, synthesise

SIZES = [(64, 48), (33, 70), (5, 90), (9, 9)]  # height, width


def read_back(picture: np.ndarray, budget: int) -> Knowledge:
    order = order_for(shipped(DEFAULT), *picture.shape[:2], 3)
    return codestring.read(order, tokcodec.encode(picture, budget=budget, bare=True)).known


def put_back(plane: np.ndarray, known: Knowledge, channel: int) -> np.ndarray:
    bands = consistent(split_all(plane[None]), known, range(channel, channel + 1))
    return synthesise(bands, *plane.shape)[0]


@pytest.mark.parametrize("budget", [1, 40, 300, 10**6])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_original_lies_in_the_intervals(
    height: int, width: int, budget: int, photograph: Callable
) -> None:
    picture = photograph("coffee", width, height)
    known = read_back(picture, budget)
    planes = colour.to_planes(picture, grey=False)
    for i, truth in enumerate(analyse(planes)):
        if found := interval(known, i):
            middle, half = found
            assert (np.abs(truth - middle) <= half * 1.0001 + 1e-3).all()
    for channel, plane in enumerate(planes):
        kept = put_back(plane, known, channel)
        assert np.abs(kept - plane).max() < 0.01


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_anything_comes_back_into_them_and_nearer(
    height: int, width: int, photograph: Callable
) -> None:
    picture = photograph("chelsea", width, height)
    known = read_back(picture, 200)
    planes = colour.to_planes(picture, grey=False)
    rng = np.random.default_rng(0)
    for channel, plane in enumerate(planes):
        wrong = (plane + rng.normal(0, 60, plane.shape)).astype(np.float32)
        kept = put_back(wrong, known, channel)
        assert np.square(kept - plane).mean() < np.square(wrong - plane).mean()
        each = len(known.order.bands) // 3
        for i, coefficients in enumerate(analyse(kept[None])):
            if found := interval(known, channel * each + i):
                middle, half = found
                assert (np.abs(coefficients - middle) <= half * 1.001 + 0.01).all()


def test_of_nothing_known_anything_goes(astronaut: np.ndarray) -> None:
    known = Knowledge(order_for(shipped(DEFAULT), *astronaut.shape[:2], 3))
    plane = colour.to_planes(astronaut, grey=False)[0]
    assert interval(known, 0) is None
    assert np.allclose(put_back(plane, known, 0), plane, atol=1e-2)


def test_channels_together_and_alone_are_alike(photograph: Callable) -> None:
    picture = photograph("chelsea", 70, 33)
    known = read_back(picture, 200)
    planes = colour.to_planes(picture[::-1], grey=False)
    together = synthesise(consistent(split_all(planes), known, range(3)), 33, 70)
    alone = [put_back(plane, known, channel) for channel, plane in enumerate(planes)]
    assert np.array_equal(together, alone)
