"""Limits of bytes, tokens and decibels: met, alone and together."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import tokcodec
from tokcodec import errors
from tokcodec.psnr import psnr


def test_budget_is_the_shortest_stream_that_determines_so_many_tokens(picture):
    for budget in (1, 2, 7, 32, 200):
        data = tokcodec.encode(picture, budget=budget)
        assert tokcodec.info(data).tokens >= budget
        assert tokcodec.info(data[:-1]).tokens < budget


def test_max_bytes_is_met_to_the_byte(picture):
    for n in (8, 9, 20, 64, 222, 1000):
        assert len(tokcodec.encode(picture, max_bytes=n)) == n


def test_max_bytes_below_the_header(astronaut):
    with pytest.raises(errors.ArgumentError, match="smaller than the header"):
        tokcodec.encode(astronaut, max_bytes=7)
    with pytest.raises(errors.ArgumentError, match="smaller than the header"):
        tokcodec.cut(tokcodec.encode(astronaut, max_bytes=70), max_bytes=7)


def test_psnr_is_reached_and_not_overshot(picture):
    for target in (20.0, 26.5, 31.0, 38.0):
        data = tokcodec.encode(picture, psnr=target)
        reached = psnr(np.asarray(tokcodec.decode(data, decoder="linear")), picture)
        assert reached >= target
        if reached > target + 0.1:  # then a single token makes the step
            tokens = tokcodec.info(data).tokens
            shorter = (tokcodec.cut(data, budget=k) for k in range(tokens, -1, -1))
            fewer = next(d for d in shorter if len(d) < len(data))
            assert psnr(np.asarray(tokcodec.decode(fewer, decoder="linear")), picture) < target


@pytest.mark.parametrize(
    ("name", "width", "height", "target"),
    [("chelsea", 256, 256, 20.0), ("coffee", 40, 40, 20.0), ("rocket", 60, 40, 21.0)],
)
def test_psnr_takes_no_more_than_it_needs(photograph, name, width, height, target):
    picture = photograph(name, width, height)
    data = tokcodec.encode(picture, psnr=target)
    cuts = (tokcodec.cut(data, budget=k) for k in range(tokcodec.info(data).tokens, -1, -1))
    fewer = next(d for d in cuts if len(d) < len(data))
    less, reached = (
        psnr(np.asarray(tokcodec.decode(d, decoder="linear")), picture) for d in (fewer, data)
    )
    assert target <= reached
    assert less < target or reached <= target + 0.1


def test_psnr_out_of_reach_gives_everything_and_a_warning(picture):
    with pytest.warns(tokcodec.TokCodecWarning, match="out of reach"):
        data = tokcodec.encode(picture, psnr=99)
    assert tokcodec.info(data).complete


@pytest.mark.parametrize("tighter", [{"max_bytes": 50}, {"budget": 30}, {"quality": 20}])
def test_a_psnr_out_of_reach_goes_without_saying_where_another_limit_is_tighter(picture, tighter):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = tokcodec.encode(picture, psnr=99, **tighter)
    assert not tokcodec.info(data).complete


def test_a_warning_names_the_line_that_encodes(photograph):
    picture = photograph("camera", 16, 16)
    for encode in (tokcodec.encode, tokcodec.load().encode):
        with pytest.warns(tokcodec.TokCodecWarning) as told:
            encode(picture, psnr=99)
        assert told[0].filename == __file__
    with pytest.warns(tokcodec.TokCodecWarning) as told:
        tokcodec.load().encode_batch([picture], psnr=99)
    assert told[0].filename == __file__


def test_the_tightest_limit_wins(picture):
    a = tokcodec.encode(picture, budget=20)
    b = tokcodec.encode(picture, max_bytes=500)
    c = tokcodec.encode(picture, psnr=35)
    assert tokcodec.encode(picture, budget=20, max_bytes=500, psnr=35) == min(a, b, c, key=len)


def test_without_a_limit_the_picture_looks_good(picture):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = tokcodec.encode(picture)
    assert 32 <= psnr(np.asarray(tokcodec.decode(data, decoder="linear")), picture) < 32.2


def test_decibels_of_any_number(picture):
    for kind in (int, np.float16, np.float32, np.int64):
        assert tokcodec.encode(picture, psnr=kind(30)) == tokcodec.encode(picture, psnr=30.0)


def test_numbers_of_numpy_are_numbers(astronaut):
    data = tokcodec.encode(astronaut, budget=100)
    assert tokcodec.encode(astronaut, budget=np.uint8(100)) == data
    assert tokcodec.cut(data, np.uint8(26)) == tokcodec.cut(data, 26)
    assert tokcodec.cut(data, max_bytes=np.uint8(90)) == data[:90]
    assert len(tokcodec.tokenize(astronaut, np.int16(4000))) == len(
        tokcodec.tokenize(astronaut, 4000)
    )


@pytest.mark.parametrize(
    "limit",
    [
        {"budget": -1},
        {"budget": 1.5},
        {"max_bytes": True},
        {"psnr": -3},
        {"psnr": "a"},
        {"psnr": True},
        {"psnr": np.complex64(30)},
        {"quality": np.complex64(30)},
    ],
)
def test_senseless_limits(astronaut, limit):
    with pytest.raises(errors.ArgumentError):
        tokcodec.encode(astronaut, **limit)
