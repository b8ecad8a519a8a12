"""The order of digits: complete, causal, dispersed, extrapolated."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens.layout import Grid, bands
from tokcodec.tokens.order import Order

MODEL = shipped(DEFAULT)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (64, 64), (4000, 30), (16000, 1), (100, 9000)])
def test_every_digit_has_its_place(size):
    order = Order(MODEL, *size, 3)
    seen: dict[tuple[int, int], list[int]] = {}
    for p in order.passes:
        seen.setdefault((p.band, p.parity), []).append(p.plane)
    for (band, _), planes in seen.items():
        assert planes == list(range(order.planes[band]))
    coefficients = sum(b.height * b.width for b in order.bands)
    assert coefficients == 3 * size[0] * size[1]
    assert order.digits == sum(
        b.height * b.width * n for b, n in zip(order.bands, order.planes, strict=True)
    )


@pytest.mark.parametrize("size", [(1, 1), (7, 30)])
def test_digits_in_a_row_are_split_into_passes(size):
    order = Order(MODEL, *size, 3)
    ends = np.cumsum([p.digits for p in order.passes])
    for count in (0, 1, int(ends[0]), int(ends[1]) + 1, order.digits, order.digits + 9):
        row = np.arange(count)
        parts = order.split(row)
        assert len(parts) == len(order.passes)
        assert np.array_equal(np.concatenate(parts), row[: order.digits])
        whole = [len(part) == p.digits for p, part in zip(order.passes, parts, strict=True)]
        assert whole == [bool(end <= count) for end in ends]


def test_levels_stop_when_both_sides_are_small():
    for h, w in ((4000, 30), (30, 4000), (5, 5), (4, 4), (1, 9)):
        low = bands(h, w, 1)[0]
        assert low.height <= 4
        assert low.width <= 4
    thin = [b for b in bands(4000, 30, 1) if b.height == 1000 or b.height == 2000]
    assert {b.orientation for b in thin} == {1, 2, 3}
    assert {b.orientation for b in bands(4000, 30, 1) if b.level == 1} == {2}


def test_the_order_does_not_depend_on_size():
    """A larger picture sends the same units in the same order, with finer ones in between."""
    small, large = Order(MODEL, 256, 256, 3), Order(MODEL, 4096, 4096, 3)

    def units(order: Order, most: int) -> list[tuple[int, int, int, int]]:
        named = [(order.bands[p.band], p) for p in order.passes if p.parity == 0]
        return [
            (b.channel, b.level, b.orientation, p.plane)
            for b, p in named
            if b.level <= most and p.plane < 6
        ]

    assert units(small, 6) == units(large, 6)


def test_grey_is_the_colour_order_without_chroma():
    grey, colour = Order(MODEL, 90, 70, 1), Order(MODEL, 90, 70, 3)

    def names(o: Order) -> list:
        return [
            (o.bands[p.band][1:5], p.plane, p.parity)
            for p in o.passes
            if o.bands[p.band].channel == 0
        ]

    assert names(grey) == names(colour)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 8), (20, 33)])
def test_passes_are_the_colours_of_a_chess_board(size):
    grid = Grid(*size)
    even, odd = grid.passes
    assert sorted([*even, *odd]) == list(range(size[0] * size[1]))
    assert all((i // size[1] + i % size[1]) % 2 == 0 for i in even)
    assert all((i // size[1] + i % size[1]) % 2 == 1 for i in odd)


@pytest.mark.parametrize("n", [64, 100, 500, 1000, 1500])
def test_any_part_of_a_pass_is_spread_evenly(n):
    even, _ = Grid(64, 64).passes
    y, x = np.divmod(even[:n], 64)
    for low in (0, 16, 32, 48):
        assert abs(np.mean((x >= low) & (x < low + 16)) - 0.25) < 0.05
        assert abs(np.mean((y >= low) & (y < low + 16)) - 0.25) < 0.05 + 32 / n / 2
