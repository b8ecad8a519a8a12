"""One code string per picture, any prefix of which is a picture."""

from __future__ import annotations

import numpy as np
import pytest

import tokcodec
from tokcodec.psnr import psnr
from tokcodec.registry import DEFAULT


def test_one_code_string_per_picture(picture):
    full = tokcodec.encode(picture, budget=10**6)
    assert tokcodec.info(full).complete
    for limit in ({"budget": 5}, {"budget": 100}, {"max_bytes": 77}, {"psnr": 24.0}, {"budget": 0}):
        data = tokcodec.encode(picture, **limit)
        assert full.startswith(data)
    assert tokcodec.encode(picture, max_bytes=10**7) == full


def test_cut_equals_encode(picture):
    full = tokcodec.encode(picture, psnr=33)
    for limit in (
        {"budget": 16},
        {"budget": 100},
        {"max_bytes": 51},
        {"budget": 64, "max_bytes": 60},
    ):
        assert tokcodec.cut(full, **limit) == tokcodec.encode(picture, **limit)
    assert tokcodec.cut(full, budget=10**6) == full
    assert tokcodec.cut(full, max_bytes=10**6) == full
    assert tokcodec.cut(tokcodec.cut(full, max_bytes=90), budget=16) == tokcodec.cut(
        full, budget=16
    )


@pytest.mark.parametrize(("model", "most"), [(DEFAULT, 160), ("pyramid-4", 50)])
def test_every_prefix_decodes_to_a_prefix_of_the_tokens(photograph, model, most):
    for name, width, height in (("astronaut", 64, 48), ("camera", 33, 20)):
        data = tokcodec.encode(photograph(name, width, height), max_bytes=most, model=model)
        whole = tokcodec.unpack(data)
        before = 0
        for n in range(8, len(data) + 1):
            tokens = tokcodec.unpack(data[:n])
            assert np.array_equal(tokens.ids, whole.ids[: len(tokens)])
            assert len(tokens) >= before
            before = len(tokens)
            assert tokcodec.decode(data[:n], decoder="linear").size == (width, height)


def test_a_cut_is_even_over_the_picture(photograph):
    half = photograph("chelsea", 128, 192)
    rng = np.random.default_rng(11)
    for axis in (0, 1):
        picture = np.concatenate([half, np.flip(half, axis)], axis)
        full = tokcodec.encode(picture, psnr=34)
        for n in rng.integers(40, len(full), 10):
            decoded = np.asarray(tokcodec.decode(full[:n], decoder="linear"))
            a, b = np.split(decoded, 2, axis)
            c, d = np.split(picture, 2, axis)
            assert abs(psnr(a, c) - psnr(b, d)) < 0.3
