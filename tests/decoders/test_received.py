"""What the neural decoder is told of how far each band was received."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import tokcodec
from tokcodec.coder import codestring
from tokcodec.decoders.received import EACH, KNOWN_SCALES, received, received_planes
from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens import wavelet
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.layout import ACROSS, DIAGONAL, LOW
from tokcodec.tokens.order import Order, order_for

MODEL = shipped(DEFAULT)


def test_a_column_is_the_logarithm_of_the_step_that_is_left() -> None:
    order = Order(MODEL, 64, 64, 3)
    for planes in (1, 2, 5):
        told = received(order, np.full((1, len(order.bands)), planes, np.float32))
        for channel in range(3):
            step = MODEL.step(channel, planes - 1)
            expected = -math.log(step / 256, 3) / 4 - 1
            part = told[0, channel * EACH : (channel + 1) * EACH]
            assert np.allclose(part, expected, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(64, 64), (5, 7), (9, 9), (3, 200), (3000, 1)])
def test_every_band_has_a_column_of_its_own(height: int, width: int, channels: int) -> None:
    """But those of resolutions beyond the known ones, of which nothing is told."""
    order = Order(MODEL, height, width, channels)
    depth = len(wavelet.levels(height, width))
    before = received(order, np.zeros((1, len(order.bands)), np.float32))
    columns = []
    for i, band in enumerate(order.bands):
        planes = np.zeros((1, len(order.bands)), np.float32)
        planes[0, i] = 1
        (changed,) = np.nonzero((received(order, planes) - before)[0])
        if band.orientation == LOW:  # it stands for the bands that are not there, too
            assert band.channel * EACH in changed
            told_of = {0, 1, 2} if channels == 1 else {band.channel}
            assert set((changed // EACH).tolist()) == told_of
        elif depth - band.level >= KNOWN_SCALES:
            assert not len(changed)
        else:
            columns += changed.tolist()
    if channels == 1:  # the chromas are told as the luma
        columns = [c for c in columns if c < EACH]
    known = [b for b in order.bands if b.orientation != LOW and depth - b.level < KNOWN_SCALES]
    assert len(columns) == len(set(columns)) == len(known)
    assert not set(columns) & {0, EACH, 2 * EACH}


def test_the_finest_bands_have_the_same_column_in_pictures_of_any_size() -> None:
    found = set()
    for height, width in ((5, 5), (64, 64), (131, 97), (600, 900)):
        order = Order(MODEL, height, width, 3)
        planes = np.zeros((1, len(order.bands)), np.float32)
        depth = len(wavelet.levels(height, width))
        for i, b in enumerate(order.bands):
            if b.channel == 2 and b.level == depth and b.orientation in (ACROSS, DIAGONAL):
                planes[0, i] = b.orientation + 1
        told = received(order, planes)[0]
        found.add((int(told.argmax()), int(told[: told.argmax()].argmax())))
    assert len(found) == 1


def test_bands_that_are_not_there_are_told_as_the_low_band() -> None:
    order = Order(MODEL, 8, 8, 3)
    planes = np.zeros((1, len(order.bands)), np.float32)
    for i, b in enumerate(order.bands):
        planes[0, i] = 3 if b.orientation == LOW else 1
    told = received(order, planes).reshape(3, EACH)
    finest = slice(1, 4)
    for row in told:
        assert (row[4:] == row[0]).all()
        assert np.allclose(row[finest], row[0] - 2 / 4)


def test_grey_pictures_are_told_as_colour_whose_chromas_keep_up() -> None:
    grey, colours = Order(MODEL, 40, 56, 1), Order(MODEL, 40, 56, 3)
    planes = np.arange(len(colours.bands), dtype=np.float32)[None] / 10
    told = received(grey, planes[:, : len(grey.bands)]).reshape(3, EACH)
    assert np.array_equal(told[0], received(colours, planes).reshape(3, EACH)[0])
    assert (told[1:] == told[0]).all()


def test_more_tokens_never_tell_of_less(photograph: Callable) -> None:
    picture = photograph("coffee", 60, 41)
    order = order_for(MODEL, 41, 60, 3)
    rows = []
    for budget in (0, 1, 5, 20, 100, 400, 1000, 10**6):
        data = tokcodec.encode(picture, budget=budget, bare=True)
        rows.append(received_planes(codestring.read(order, data).known))
    told = np.concatenate(rows)
    assert (told[1:] >= told[:-1]).all()
    assert (told[1:] > told[:-1]).any(1).all()
    assert np.array_equal(told[:1], received_planes(Knowledge(order)))
    assert np.array_equal(told[:1], received(order, np.zeros((1, len(order.bands)), np.float32)))
    everything = np.array([order.planes], np.float32)
    assert np.allclose(told[-1:], received(order, everything))
