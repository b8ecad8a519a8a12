"""The way up in torch: the linear decoder's picture, and bands side by side and apart again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import tokcodec
from tokcodec.coder import codestring
from tokcodec.decoders.linear import linear
from tokcodec.pixels import colour
from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens import wavelet
from tokcodec.tokens.layout import bands
from tokcodec.tokens.order import order_for
from tokcodec.tokens.reconstruction import dequantise
from tokcodec.tokens.transform import analyse

torch = pytest.importorskip("torch")

from tokcodec.decoders.climb import climb, down, stacked, unstacked, up  # noqa: E402
from tokcodec.decoders.steps import orientations  # noqa: E402

SIZES = [(5, 5), (5, 1), (1, 9), (6, 7), (3, 200), (200, 3), (64, 64), (97, 131)]


def together(found: list[np.ndarray], channels: int) -> list[torch.Tensor]:
    """Bands channel by channel to (1, channels, h, w)."""
    each = len(found) // channels
    return [
        torch.from_numpy(np.stack([found[c * each + i] for c in range(channels)]))[None]
        for i in range(each)
    ]


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 4), *SIZES])
def test_the_top_is_the_linear_decoders_picture(
    height: int, width: int, photograph: Callable
) -> None:
    picture = photograph("chelsea", width, height)
    order = order_for(shipped(DEFAULT), height, width, 3)
    known = codestring.read(order, tokcodec.encode(picture, budget=150, bare=True)).known
    found = together([dequantise(known, i) for i in range(len(order.bands))], 3)
    steps = climb(found, height, width)
    planes = up(steps[-1]) if steps else found[0]
    drawn = colour.to_rgb(list(planes[0].numpy())).astype(int)
    difference = np.abs(drawn - linear(known, (width, height)))
    assert difference.max() <= 1  # a value halfway between two may go either way
    assert (difference > 0).mean() < 1e-3


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_every_step_up_is_the_step_down_again(
    height: int, width: int, photograph: Callable
) -> None:
    planes = colour.to_planes(photograph("coffee", width, height), False)
    steps = climb(together(analyse(planes), 3), height, width)
    assert [s.level for s in reversed(steps)] == wavelet.levels(height, width)
    x = torch.from_numpy(planes)[None]
    for step in reversed(steps):
        below = down(x, step.level)
        assert sorted(below.details) == sorted(step.details) == orientations(step.level)
        assert (below.low - step.low).abs().max() < 2e-3
        for o in step.details:
            assert below.details[o].shape == step.details[o].shape
            assert (below.details[o] - step.details[o]).abs().max() < 2e-3
        assert (up(below) - x).abs().max() < 2e-3
        x = below.low


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_bands_lie_side_by_side_and_are_taken_apart(
    height: int, width: int, photograph: Callable
) -> None:
    x = torch.from_numpy(colour.to_planes(photograph("rocket", width, height), False))[None]
    x = torch.cat([x, x.flip(-1)])
    for level in wavelet.levels(height, width):
        step = down(x, level)
        flat = stacked(step)
        assert flat.shape == (2, 12, *step.low.shape[-2:])
        assert torch.equal(flat[:, :3], step.low)
        for o, d in step.details.items():
            assert torch.equal(flat[:, 3 * o : 3 * o + 3, : d.shape[-2], : d.shape[-1]], d)
        total = step.low.double().abs().sum() + sum(
            d.double().abs().sum() for d in step.details.values()
        )
        assert torch.isclose(flat.double().abs().sum(), total)  # zeros everywhere else
        back = unstacked(flat, level)
        assert torch.equal(back.low, step.low)
        assert list(back.details) == list(step.details)
        assert all(torch.equal(back.details[o], d) for o, d in step.details.items())
        x = step.low


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_what_a_level_has_no_place_for_is_left_out(height: int, width: int) -> None:
    layout = bands(height, width, 1)
    for number, level in enumerate(reversed(wavelet.levels(height, width)), start=1):
        h, w = wavelet.low_size(level.height, level.width, 1)
        step = unstacked(torch.ones(1, 12, h, w), level)
        sizes = {b.orientation: (b.height, b.width) for b in layout if b.level == number}
        assert {o: d.shape[-2:] for o, d in step.details.items()} == sizes


def test_a_picture_of_one_band_has_no_steps() -> None:
    assert climb([torch.ones(1, 3, 4, 4)], 4, 4) == []
