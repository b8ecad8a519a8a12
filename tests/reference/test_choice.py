"""What a reference saves, under every limit, and what it never costs."""

from __future__ import annotations

import warnings
from threading import Thread

import numpy as np
import pytest

import tokcodec
from tests.reference.drawn import drawn
from tokcodec import errors
from tokcodec.psnr import psnr
from tokcodec.reference import choice


def test_a_picture_that_resembles_its_reference_takes_half_the_bytes(change, visited, key):
    alone = tokcodec.encode(visited, psnr=30)
    assert len(change) < 0.5 * len(alone)
    assert 30 <= psnr(drawn(change, reference=key), visited) <= 30.2


def test_the_same_picture_takes_next_to_nothing(scene, key):
    again = tokcodec.encode(scene, psnr=30, reference=key)
    assert len(again) <= 24
    shown = drawn(again, reference=key).astype(int)
    assert np.abs(shown - drawn(key)).max() <= 2  # coefficients are rounded to their last step


def test_the_same_bytes_show_more(visited, key):
    for limit in ({"max_bytes": 300}, {"budget": 150}):
        alone = tokcodec.encode(visited, **limit)
        data = tokcodec.encode(visited, reference=key, **limit)
        assert psnr(drawn(data, reference=key), visited) > psnr(drawn(alone), visited) + 1
        if "max_bytes" in limit:
            assert len(data) == 300
        else:
            assert tokcodec.info(data).tokens >= 150


def test_a_reference_of_something_else_is_left_alone(photograph, key):
    other = photograph("astronaut", 128, 96)
    alone = tokcodec.encode(other, psnr=28)
    assert len(tokcodec.encode(other, psnr=28, reference=key)) <= len(alone)


def test_limits_that_leave_no_room_for_the_field(visited, key):
    for n in (8, 12, 20):
        data = tokcodec.encode(visited, max_bytes=n, reference=key)
        assert len(data) <= n
        assert drawn(data, reference=key).shape == visited.shape
    with pytest.raises(errors.ArgumentError, match="header"):
        tokcodec.encode(visited, max_bytes=7, reference=key)


def test_quality_is_that_of_the_picture_not_of_the_change(visited, key):
    alone = tokcodec.encode(visited, quality=40)
    data = tokcodec.encode(visited, quality=40, reference=key)
    assert len(data) < len(alone)
    assert psnr(drawn(data, reference=key), visited) >= psnr(drawn(alone), visited) - 1e-9


def test_effort_holds_with_a_reference(visited, key, change):
    data = tokcodec.encode(visited, psnr=30, reference=key, effort=2)
    assert len(data) <= len(change)
    assert psnr(drawn(data, reference=key), visited) >= 30


def test_all_of_a_noisy_picture_is_within_reach():
    """At quality 100, which a reference turns into decibels, nothing is out of reach."""
    for seed in range(7, 12):
        noise = np.random.default_rng(seed).integers(0, 256, (24, 24, 3)).astype(np.uint8)
        changed = noise.copy()
        changed[5:9] = 7
        key = tokcodec.encode(noise, budget=20)
        tokcodec.encode(changed, quality=100, reference=key)  # a warning would be an error


def test_what_is_out_of_reach_is_told_once(visited, key):
    with pytest.warns(errors.TokCodecWarning, match="out of reach") as told:
        tokcodec.encode(visited[:, :64].repeat(2, axis=1), psnr=100, reference=key)
    assert len(told) == 1


def test_other_threads_warn_while_a_reference_is_tried(visited, key, photograph, monkeypatch):
    other, as_ever = photograph("coffee", 16, 12), choice.linear

    def meanwhile(*args):
        thread = Thread(target=tokcodec.encode, args=(other,), kwargs={"psnr": 100})
        thread.start()
        thread.join()
        return as_ever(*args)

    monkeypatch.setattr(choice, "linear", meanwhile)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        tokcodec.encode(visited, psnr=28, reference=key)
    assert told
    assert all("out of reach" in str(warning.message) for warning in told)
