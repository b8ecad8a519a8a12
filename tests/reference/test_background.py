"""Backgrounds: what stays of several pictures, as a reference for those that follow."""

from __future__ import annotations

import numpy as np
import pytest

import tokcodec
from tests.reference.drawn import drawn
from tokcodec import errors
from tokcodec.errors import ReferenceMismatchError
from tokcodec.psnr import psnr
from tokcodec.reference import known as references
from tokcodec.tokens.order import order_for


def test_a_background_is_what_stays(scene, visited, key, photograph):
    rng = np.random.default_rng(2)
    noisy = [scene + rng.normal(0, 8, scene.shape) for _ in range(5)]
    noisy[1][10:40, 10:60] = 0
    streams = [tokcodec.encode(np.clip(n, 0, 255).astype(np.uint8), psnr=32) for n in noisy]
    background = tokcodec.background(streams)
    assert tokcodec.info(background).tokens >= 2 * max(tokcodec.info(s).tokens for s in streams)
    assert tokcodec.info(background).reference is None
    best = max(psnr(drawn(s), scene) for s in streams)
    assert psnr(drawn(background), scene) > best + 3
    assert tokcodec.background([*reversed(streams)]) == background
    data = tokcodec.encode(visited, psnr=30, reference=background)
    assert psnr(drawn(data, reference=background), visited) >= 30
    assert drawn(tokcodec.background([key, [key]])).shape == scene.shape


def test_a_background_of_one_complete_stream_has_its_coefficients(photograph):
    key = tokcodec.encode(photograph("coffee", 32, 24), budget=10**6)
    order = order_for(tokcodec.load().model, 24, 32, 3)
    ours, its = (references.opened(s, order) for s in (key, tokcodec.background([key])))
    assert all(np.array_equal(a, b) for a, b in zip(ours.values, its.values, strict=True))


def test_backgrounds_refuse_what_they_cannot_use(key, photograph):
    other = tokcodec.encode(photograph("coffee", 64, 48), budget=5)
    no_lists = ([], key, "path", bytearray(key), memoryview(key), None, 5)
    for wrong in (*no_lists, [[]], [5], ["path"], [[key], [5]], [key, []]):
        with pytest.raises(errors.ArgumentError, match="stream"):
            tokcodec.background(wrong)
    with pytest.raises(errors.ImageTooLargeError, match="128 x 96"):
        tokcodec.background([key], max_pixels=100)
    with pytest.raises(ReferenceMismatchError, match="64 x 48"):
        tokcodec.background([key, other])
    with pytest.raises(errors.StreamError):
        tokcodec.background([b"no stream"])


def test_a_background_of_buffers_is_that_of_bytes(key):
    wanted = tokcodec.background([key, [key]])
    assert tokcodec.background([bytearray(key), [memoryview(key)]]) == wanted
