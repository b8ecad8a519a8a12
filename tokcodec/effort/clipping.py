"""What is drawn to what is shown: channels end at 0 and 255, so what overshoots costs nothing more.

Where a channel is beyond the range of bytes, the receiver shows its end. The error there is that of
the end, and a small move changes nothing of it: its slope is zero.
"""

from __future__ import annotations

import numpy as np

from tokcodec.pixels.colour import MID, ROOT2, ROOT3, ROOT6

REACH = np.float32(MID)  # of a channel, from mid-grey


def missing(planes: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, float]:
    """What a drawn picture lacks.

    Args:
        planes: the picture, float32 (channels, height, width), one channel if it is grey.
        drawn: the same as a decoder draws it.

    Returns:
        The difference, zero along what lies beyond the range of bytes, in the shape of the planes;
        and the squared error of the picture shown, before rounding.
    """
    left = planes - drawn
    error = float(np.square(left).sum(dtype=np.float64))
    red, green, blue = _axes(len(planes))
    for axis in (red, green, blue)[: len(planes)]:
        value = _along(drawn, axis)
        ends = np.abs(value) > REACH
        if not ends.any():
            continue
        at = np.nonzero(ends)
        beyond = value[at]
        difference = _along(left[:, at[0], at[1]], axis)
        shown = difference + beyond - np.copysign(REACH, beyond)
        weight = float(1 / (axis @ axis))
        squares = np.square(shown) - np.square(difference)
        error += weight * float(squares.sum(dtype=np.float64))
        left[:, at[0], at[1]] -= np.float32(weight) * axis[:, None] * difference
    return left, error


def _axes(channels: int) -> np.ndarray:
    """Red, green and blue by the planes: what each adds to them, float32 (3, channels)."""
    third, half, sixth = 1 / ROOT3, 1 / ROOT2, 1 / ROOT6
    axes = [[third, half, sixth], [third, 0, -2 * sixth], [third, -half, sixth]]
    return np.array(axes, np.float32)[:, :channels]


def _along(planes: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """A channel of planes (channels, ...)."""
    return np.tensordot(axis, planes, 1)
