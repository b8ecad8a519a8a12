"""Effort, as a user sees it: closer pictures in as many bytes, the same promises as before."""

from __future__ import annotations

import warnings
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tests.independent import pyramid
from tokcodec import errors
from tokcodec.psnr import psnr
from tokcodec.registry import DEFAULT

MODEL_FILE = Path(tokcodec.__file__).parent / "weights" / f"{DEFAULT}.safetensors"
LIMITS = ({"max_bytes": 200}, {"budget": 150}, {"psnr": 24.0})


def decibels(data: bytes, picture: np.ndarray) -> float:
    return psnr(np.asarray(tokcodec.decode(data, decoder="linear")), picture)


@pytest.fixture(scope="module")
def pictures(photograph):
    return [photograph(name, 72, 54) for name in ("astronaut", "coffee", "rocket", "camera")]


def test_every_level_is_at_least_as_close_in_as_many_bytes(pictures):
    for picture in pictures[:2]:
        reached = [
            decibels(tokcodec.encode(picture, max_bytes=200, effort=effort), picture)
            for effort in (0, 1, 3, 4, 8)
        ]
        assert all(b >= a - 0.02 for a, b in pairwise(reached))
        assert reached[-1] > reached[0]


def test_some_tenths_of_a_decibel_are_gained(pictures):
    gains = [
        decibels(tokcodec.encode(p, max_bytes=300, effort=5), p)
        - decibels(tokcodec.encode(p, max_bytes=300), p)
        for p in pictures
    ]
    assert min(gains) >= 0
    assert np.mean(gains) > 0.15


def test_the_highest_level_goes_on_where_seven_stops(pictures):
    reached = [
        [decibels(tokcodec.encode(p, max_bytes=120, effort=e), p) for p in pictures[:2]]
        for e in (7, 9)
    ]
    assert np.mean(reached[1]) > np.mean(reached[0]) + 0.005
    assert np.subtract(*reached).max() < 0.02


@pytest.mark.parametrize("effort", [1, 5])
def test_limits_hold_exactly(pictures, effort):
    for picture in pictures[:1]:
        for n in (8, 9, 10, 137):
            data = tokcodec.encode(picture, max_bytes=n, effort=effort)
            assert len(data) == n
        for budget in (0, 1, 40):
            data = tokcodec.encode(picture, budget=budget, effort=effort)
            assert tokcodec.info(data).tokens >= budget
            assert budget == 0 or tokcodec.info(data[:-1]).tokens < budget
        both = tokcodec.encode(picture, budget=100, max_bytes=60, effort=effort)
        assert len(both) <= 60


@pytest.mark.parametrize("effort", [1, 4])
def test_tokens_given_show_no_less(pictures, effort):
    for picture in pictures:
        data = tokcodec.encode(picture, budget=150, effort=effort)
        plain = tokcodec.encode(picture, budget=150)
        assert decibels(data, picture) >= decibels(plain, picture)


@pytest.mark.parametrize("effort", [1, 4])
def test_decibels_are_reached_in_fewer_bytes(pictures, effort):
    sizes = []
    for picture in pictures:
        for target in (23.0, 29.0):
            data = tokcodec.encode(picture, psnr=target, effort=effort)
            assert target <= decibels(data, picture) < target + 0.5
            sizes.append((len(data), len(tokcodec.encode(picture, psnr=target))))
    assert all(new <= old for new, old in sizes)
    assert sum(new for new, _ in sizes) < 0.98 * sum(old for _, old in sizes)


def test_an_independent_reader_agrees(pictures):
    for picture in pictures[2:]:
        for limit in LIMITS:
            data = tokcodec.encode(picture, effort=4, **limit)
            ids, count, complete = pyramid.decode(data, MODEL_FILE)
            assert ids == tokcodec.unpack(data).ids.tolist()
            assert (count, complete) == (tokcodec.info(data).digits, False)


def test_prefixes_are_pictures(pictures):
    picture = pictures[0]
    data = tokcodec.encode(picture, max_bytes=200, effort=5)
    whole = tokcodec.unpack(data)
    for n in (9, 40, 100, 199):
        cut = tokcodec.cut(data, max_bytes=n)
        assert cut == data[:n]
        assert np.array_equal(tokcodec.unpack(cut).ids, whole.ids[: len(tokcodec.unpack(cut))])
        assert decibels(cut, picture) > decibels(tokcodec.encode(picture, max_bytes=n), picture) - 1
    assert tokcodec.info(tokcodec.cut(data, budget=30)).tokens >= 30


def test_the_same_picture_gives_the_same_bytes(pictures):
    for limit in LIMITS:
        first = tokcodec.encode(pictures[1], effort=4, **limit)
        assert tokcodec.encode(pictures[1], effort=4, **limit) == first


def test_zero_is_what_it_was(pictures):
    for limit in LIMITS:
        assert tokcodec.encode(pictures[0], effort=0, **limit) == tokcodec.encode(
            pictures[0], **limit
        )


def test_complete_streams_stay_as_they_are(photograph):
    picture = photograph("rocket", 32, 24)
    full = tokcodec.encode(picture, budget=10**6)
    assert tokcodec.encode(picture, budget=10**6, effort=5) == full
    assert tokcodec.encode(picture, max_bytes=10**6, effort=5) == full
    with pytest.warns(tokcodec.TokCodecWarning, match="out of reach"):
        assert tokcodec.encode(picture, psnr=99, effort=5) == full
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nearly = tokcodec.encode(picture, psnr=40, effort=4)
    assert decibels(nearly, picture) >= 40


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (2, 3), (300, 2), (5, 120), (9, 9)])
def test_strange_shapes(photograph, shape):
    picture = photograph("astronaut", shape[1], shape[0])
    for limit in ({"max_bytes": 16}, {"max_bytes": 40}, {"budget": 3}, {"psnr": 25.0}):
        data = tokcodec.encode(picture, effort=4, **limit)
        plain = tokcodec.encode(picture, **limit)
        assert tokcodec.decode(data).size == shape[::-1]
        if "psnr" in limit:
            assert len(data) <= len(plain)
        else:
            assert decibels(data, picture) >= decibels(plain, picture)


def test_flat_grey_and_noisy_pictures(photograph):
    noise = np.random.default_rng(1).integers(0, 256, (40, 40, 3), np.uint8)
    grey = np.repeat(photograph("camera", 64, 48).mean(2, keepdims=True), 3, 2).astype(np.uint8)
    for picture in (np.full((33, 40, 3), 77, np.uint8), np.zeros((8, 8, 3), np.uint8), noise, grey):
        data = tokcodec.encode(picture, max_bytes=60, effort=5)
        plain = tokcodec.encode(picture, max_bytes=60)
        assert len(data) <= 60
        assert decibels(data, picture) >= decibels(plain, picture)


@pytest.mark.parametrize("effort", [-1, 10, 2.5, "9", True, None])
def test_no_such_effort(pictures, effort):
    with pytest.raises(errors.ArgumentError, match=r"0\.\.9"):
        tokcodec.encode(pictures[0], max_bytes=50, effort=effort)
