"""Tail-drop in torch: what encoding, cutting and reading back give, after any number of digits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tokcodec.decoders.blend import share
from tokcodec.decoders.linear import linear
from tokcodec.decoders.received import received_planes
from tokcodec.pixels import colour
from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens import quantiser, reconstruction, transform
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Order, order_for

torch = pytest.importorskip("torch")

from tokcodec.decoders.climb import (  # noqa: E402
    analyse,
    climb,
    up,
)
from tokcodec.train.decoder.taildrop import TailDrop, to_planes, to_rgb  # noqa: E402

SIZES = [(64, 64), (96, 131), (30, 200), (5, 5), (1, 9), (4, 3)]  # height, width


def counts(order: Order) -> list[int]:
    """Numbers of digits: none, few, in the midst of passes and at their ends, all, and more."""
    ends = np.cumsum([p.digits for p in order.passes])
    at = [0, 1, 2, 7, 50, 777, 5000, 20000, int(ends[len(ends) // 2]), int(ends[-2]) + 1]
    return [*sorted({n for n in at if n < order.digits}), order.digits, order.digits + 10]


def read_back(order: Order, coefficients: list[np.ndarray], digits: int) -> Knowledge:
    """What the first digits of a picture tell."""
    source, known, left = quantiser.Source(order, coefficients), Knowledge(order), digits
    for step in order.passes:
        if left <= 0:
            break
        known.add(step, source.digits(step)[:left])
        left -= step.digits
    return known


def as_batch(picture: np.ndarray) -> torch.Tensor:
    """uint8 (1, 3, height, width)."""
    return torch.from_numpy(picture.copy()).permute(2, 0, 1)[None]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_planes_and_bands_are_those_of_the_codec(
    height: int, width: int, photograph: Callable
) -> None:
    picture = photograph("astronaut", width, height)
    planes = colour.to_planes(picture, False)
    mine = to_planes(as_batch(picture))
    assert np.abs(mine[0].numpy() - planes).max() < 1e-3
    assert torch.equal(to_rgb(mine).round().byte(), as_batch(picture))
    theirs, found = transform.analyse(planes), analyse(mine)
    assert 3 * len(found) == len(theirs)
    for i, band in enumerate(theirs):
        channel, place = divmod(i, len(found))
        assert found[place].shape == (1, 3, *band.shape)
        assert np.abs(found[place][0, channel].numpy() - band).max() < 2e-3


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_cut_is_what_the_stream_would_tell(height: int, width: int, photograph: Callable) -> None:
    order = order_for(shipped(DEFAULT), height, width, 3)
    coefficients = transform.analyse(colour.to_planes(photograph("coffee", width, height), False))
    drop, each = TailDrop(order), len(order.bands) // 3
    bands = [
        torch.from_numpy(np.stack([coefficients[c * each + i] for c in range(3)]))[None]
        for i in range(each)
    ]
    for n in counts(order):
        known, cut = read_back(order, coefficients, n), drop.cut(bands, torch.tensor([n]))
        for i in range(len(order.bands)):
            channel, place = divmod(i, each)
            band = reconstruction.dequantise(known, i)
            assert np.abs(cut.bands[place][0, channel].numpy() - band).max() < 1e-3
        assert np.allclose(cut.received, received_planes(known), atol=1e-5)
        assert cut.share.item() == pytest.approx(share(known), abs=1e-3)


def test_a_cut_draws_what_the_linear_decoder_draws(photograph: Callable) -> None:
    height, width = 72, 55
    picture = photograph("chelsea", width, height)
    order = order_for(shipped(DEFAULT), height, width, 3)
    coefficients = transform.analyse(colour.to_planes(picture, False))
    truth, drop = analyse(to_planes(as_batch(picture))), TailDrop(order)
    for n in counts(order):
        steps = climb(drop.cut(truth, torch.tensor([n])).bands, height, width)
        mine = to_rgb(up(steps[-1]))[0].permute(1, 2, 0).round().clamp(0, 255).numpy()
        whole = linear(read_back(order, coefficients, n), (width, height))
        assert (np.abs(mine - whole) > 1).mean() < 1e-3  # a digit may be on the edge
        assert (mine != whole).mean() < 0.02


def test_pictures_of_a_batch_are_cut_each_after_its_own_digits(photograph: Callable) -> None:
    order = order_for(shipped(DEFAULT), 40, 48, 3)
    drop, digits = TailDrop(order), torch.tensor([0, 1, 333, 4000, order.digits])
    names = ("astronaut", "camera", "chelsea", "coffee", "rocket")
    pictures = torch.cat([as_batch(photograph(name, 48, 40)) for name in names])
    truth = analyse(to_planes(pictures))
    together = drop.cut(truth, digits)
    for i in range(len(names)):
        alone = drop.cut([band[i : i + 1] for band in truth], digits[i : i + 1])
        assert torch.allclose(together.received[i], alone.received[0])
        assert torch.allclose(together.share[i], alone.share[0])
        for one, two in zip(together.bands, alone.bands, strict=True):
            assert torch.allclose(one[i], two[0], atol=1e-4)
    assert not any(band[0].any() for band in together.bands)
    assert all(band[4].any() for band in together.bands)
