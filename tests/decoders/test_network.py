"""The network: no correction at first, any size, and a condition that tells what was received."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

import tokcodec
from tokcodec.coder import codestring
from tokcodec.pixels import colour
from tokcodec.prior.context import Knowledge
from tokcodec.tokens import wavelet
from tokcodec.tokens.layout import ACROSS, DIAGONAL, LOW
from tokcodec.tokens.order import Order, order_for
from tokcodec.weights import shipped

torch = pytest.importorskip("torch")

from tokcodec.decoders.climb import down, stacked  # noqa: E402
from tokcodec.decoders.network import (  # noqa: E402
    CHANNELS,
    KNOWN_SCALES,
    RECEIVED,
    Network,
    Shape,
    received,
    received_planes,
)

MODEL = shipped("pyramid")
SMALL = Shape((8, 6, 10), (1, 2, 1), 16)
EACH = RECEIVED // CHANNELS  # columns of a channel; the first is the low band's


def random_network(shape: Shape = SMALL) -> Network:
    torch.manual_seed(0)
    network = Network(shape).eval().requires_grad_(False)
    for p in network.parameters():
        torch.nn.init.normal_(p, std=0.1)
    return network


def finest(picture: np.ndarray) -> list[torch.Tensor]:
    """What the network takes in of a picture, finest first."""
    x, found = torch.from_numpy(colour.to_planes(picture, False))[None], []
    for level in wavelet.levels(*picture.shape[:2]):
        step = down(x, level)
        found.append(stacked(step))
        x = step.low
    return found


@pytest.mark.parametrize(("height", "width"), [(5, 5), (1, 9), (3, 200), (64, 64), (97, 131)])
def test_a_fresh_network_corrects_nothing(height: int, width: int, photograph: Callable) -> None:
    found = finest(photograph("astronaut", width, height))
    told, realism = torch.full((1, RECEIVED), 0.3), torch.ones(1)
    for network, corrects in ((Network(), False), (random_network(), True)):
        out = network(found, told, realism)
        assert out.shape == found[0].shape
        assert bool(out.any()) == corrects


def test_realism_and_all_that_was_received_count(astronaut: np.ndarray) -> None:
    found = [b.expand(RECEIVED + 2, -1, -1, -1) for b in finest(astronaut[:33, :40])]
    told, realism = torch.zeros(RECEIVED + 2, RECEIVED), torch.zeros(RECEIVED + 2)
    told[1:-1].fill_diagonal_(1)  # a picture for every column
    realism[-1] = 1
    out = random_network()(found, told, realism)
    same = (out[1:] - out[0]).abs().amax((1, 2, 3)) < 1e-3
    assert not same.any()


def test_pictures_of_a_batch_do_not_see_each_other(photograph: Callable) -> None:
    pictures = [finest(photograph(name, 41, 30)) for name in ("chelsea", "coffee", "rocket")]
    network = random_network()
    told, realism = torch.rand(3, RECEIVED), torch.rand(3)
    batch = network([torch.cat(scale) for scale in zip(*pictures, strict=True)], told, realism)
    for i, found in enumerate(pictures):
        alone = network(found, told[i : i + 1], realism[i : i + 1])
        assert (batch[i] - alone[0]).abs().max() < 1e-4 * batch.abs().max()


def test_shapes_there_and_back() -> None:
    for shape in (SMALL, Shape()):
        assert Shape.from_json(shape.to_json()) == shape
    for text in ("", "null", "[]", "{}", '{"widths": 5, "blocks": [1], "hidden": 8}'):
        with pytest.raises((ValueError, KeyError, TypeError)):
            Shape.from_json(text)


# ---- what was received


def test_a_column_is_the_logarithm_of_the_step_that_is_left() -> None:
    order = Order(MODEL, 64, 64, 3)
    for planes in (1, 2, 5):
        told = received(order, torch.full((1, len(order.bands)), float(planes)))
        for channel in range(3):
            step = MODEL.step(channel, planes - 1)
            expected = -math.log(step / 256, 3) / 4 - 1
            part = told[0, channel * EACH : (channel + 1) * EACH]
            assert torch.allclose(part, torch.tensor(expected), atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(64, 64), (5, 7), (9, 9), (3, 200), (3000, 1)])
def test_every_band_has_a_column_of_its_own(height: int, width: int, channels: int) -> None:
    """But those of resolutions beyond the known ones, of which nothing is told."""
    order = Order(MODEL, height, width, channels)
    depth = len(wavelet.levels(height, width))
    before = received(order, torch.zeros(1, len(order.bands)))
    columns = []
    for i, band in enumerate(order.bands):
        planes = torch.zeros(1, len(order.bands))
        planes[0, i] = 1
        (changed,) = torch.nonzero((received(order, planes) - before)[0], as_tuple=True)
        if band.orientation == LOW:  # it stands for the bands that are not there, too
            assert band.channel * EACH in changed
            assert set((changed // EACH).tolist()) == {band.channel}
        elif depth - band.level >= KNOWN_SCALES:
            assert not len(changed)
        else:
            columns += changed.tolist()
    known = [b for b in order.bands if b.orientation != LOW and depth - b.level < KNOWN_SCALES]
    assert len(columns) == len(set(columns)) == len(known)
    assert not set(columns) & {0, EACH, 2 * EACH}


def test_the_finest_bands_have_the_same_column_in_pictures_of_any_size() -> None:
    found = set()
    for height, width in ((5, 5), (64, 64), (131, 97), (600, 900)):
        order = Order(MODEL, height, width, 3)
        planes = torch.zeros(1, len(order.bands))
        depth = len(wavelet.levels(height, width))
        for i, b in enumerate(order.bands):
            if b.channel == 2 and b.level == depth and b.orientation in (ACROSS, DIAGONAL):
                planes[0, i] = b.orientation + 1
        told = received(order, planes)[0]
        found.add((int(told.argmax()), int(told[: told.argmax()].argmax())))
    assert len(found) == 1


def test_bands_that_are_not_there_are_told_as_the_low_band() -> None:
    order = Order(MODEL, 8, 8, 3)
    planes = torch.zeros(1, len(order.bands))
    for i, b in enumerate(order.bands):
        planes[0, i] = 3 if b.orientation == LOW else 1
    told = received(order, planes).view(3, EACH)
    finest = slice(1, 4)
    for row in told:
        assert torch.equal(row[4:], row[:1].expand(EACH - 4))
        assert (row[finest] == row[0] - 2 / 4).all()


def test_grey_pictures_are_told_as_colour_with_nothing_left_to_come() -> None:
    grey, colours = Order(MODEL, 40, 56, 1), Order(MODEL, 40, 56, 3)
    planes = torch.arange(len(colours.bands), dtype=torch.float32)[None] / 10
    told = received(grey, planes[:, : len(grey.bands)]).view(3, EACH)
    assert torch.equal(told[0], received(colours, planes).view(3, EACH)[0])
    assert (told[1:] == told[1, 0]).all()
    assert told[1, 0] > told[0].max()


def test_more_tokens_never_tell_of_less(photograph: Callable) -> None:
    picture = photograph("coffee", 60, 41)
    order = order_for(MODEL, 41, 60, 3)
    rows = []
    for budget in (0, 1, 5, 20, 100, 400, 1000, 10**6):
        data = tokcodec.encode(picture, budget=budget, bare=True)
        rows.append(received_planes(codestring.read(order, data).known))
    told = torch.cat(rows)
    assert (told[1:] >= told[:-1]).all()
    assert (told[1:] > told[:-1]).any(1).all()
    assert torch.equal(told[:1], received_planes(Knowledge(order)))
    assert torch.equal(told[:1], received(order, torch.zeros(1, len(order.bands))))
    everything = torch.tensor([order.planes], dtype=torch.float32)
    assert torch.allclose(told[-1:], received(order, everything))
