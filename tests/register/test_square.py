"""Pictures to squares and back: which part is where."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.errors import ArgumentError, UnsupportedVersionError
from tokcodec.register import square
from tokcodec.register.square import MODES


@pytest.mark.parametrize("fit", MODES)
@pytest.mark.parametrize("size", [(300, 200), (200, 300), (64, 64), (1, 999), (3000, 2), (1, 1)])
def test_all_shapes_come_back_at_their_size(size, fit: str) -> None:
    rgb = np.full((size[1], size[0], 3), (10, 200, 90), np.uint8)
    entered = square.enter(rgb, 64, fit)
    assert entered.shape == (64, 64, 3)
    left = square.leave(entered, size, size, fit)
    assert left.size == size
    assert np.abs(np.asarray(left, int) - rgb).max() <= 1


@pytest.mark.parametrize("fit", ["squash", "pad"])
def test_what_is_whole_comes_back_whole(photograph, fit: str) -> None:
    rgb = photograph("coffee", 120, 80)
    back = np.asarray(square.leave(square.enter(rgb, 128, fit), (120, 80), (120, 80), fit), float)
    assert np.abs(back - rgb).mean() < 2


def test_crop_keeps_the_middle(photograph) -> None:
    rgb = photograph("coffee", 160, 80)
    back = np.asarray(square.leave(square.enter(rgb, 80, "crop"), (160, 80), (160, 80), "crop"))
    assert np.array_equal(back[:, 40:120], rgb[:, 40:120])
    assert len(np.unique(back[:, :40].reshape(-1, 3), axis=0)) == 1


def test_pad_keeps_the_shape_and_adds_the_mean(photograph) -> None:
    rgb = photograph("coffee", 120, 60)
    entered = square.enter(rgb, 64, "pad")
    assert square.filled((120, 60), 64, "pad") == (0, 16, 64, 48)
    border = np.concatenate([entered[:16], entered[48:]]).reshape(-1, 3)
    assert len(np.unique(border, axis=0)) == 1
    assert np.abs(border[0] - rgb.mean((0, 1))).max() < 2


def test_smaller_frames_keep_the_place(photograph) -> None:
    rgb = photograph("coffee", 160, 80)
    small = np.asarray(square.leave(square.enter(rgb, 80, "crop"), (160, 80), (40, 20), "crop"))
    assert small.shape == (20, 40, 3)
    assert small[:, 10:30].std() > 10
    assert (small[:, :10] == small[0, 0]).all()


def test_the_header_field() -> None:
    assert [square.field_of(fit, (4, 3)) for fit in MODES] == [b"", b"\x01", b"\x02"]
    assert {square.field_of(fit, (4, 4)) for fit in MODES} == {b""}
    assert [square.mode_of(square.field_of(fit, (4, 3)) or None) for fit in MODES] == list(MODES)
    with pytest.raises(ArgumentError, match="squash, crop, pad"):
        square.enter(np.zeros((2, 2, 3), np.uint8), 64, "stretch")
    for data in (b"", b"\x00", b"\x03", b"\x01\x00"):
        with pytest.raises(UnsupportedVersionError):
            square.mode_of(data)
