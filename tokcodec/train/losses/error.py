"""Squared errors of pictures, as logarithms and in decibels."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

EXACT = 1 / 12  # squared error of eight bits, added where a picture may be drawn without any
ROUNDING = 0.5  # squared error that nobody sees: eight bits round away a sixth of it
TONE = 16  # pixels a side: what is coarser is tone, of what is finer there is texture


def log_error(planes: Tensor, truth: Tensor) -> Tensor:
    """(B,): natural logarithm of the mean squared error; what 8 bits round away counts too."""
    return ((planes - truth).square().mean((1, 2, 3)) + ROUNDING).log()


def decibels(difference: Tensor) -> float:
    """A difference of logarithms of squared errors, in dB."""
    return float(10 / np.log(10) * difference.detach())


def gained(before: Tensor, after: Tensor, truth: Tensor) -> Tensor:
    """Decibels, (B,), by which pictures are nearer to the truth than those before."""
    errors = [(x - truth).square().mean((1, 2, 3)) + EXACT for x in (before, after)]
    return 10 * torch.log10(errors[0] / errors[1])


def patchwise_log_error(planes: Tensor, truth: Tensor, patch: int) -> Tensor:
    """(B,): mean over squares of `patch` pixels a side of the logarithm of the squared error; one
    square for all if `patch` is 0. Invented texture raises it much where the photograph is flat,
    and little where the photograph is as rough.
    """
    if not patch:
        return log_error(planes, truth)
    squares = F.avg_pool2d((planes - truth).square().mean(1), patch, ceil_mode=True)
    return (squares + ROUNDING).log().mean((1, 2))


def tone_log_error(planes: Tensor, truth: Tensor) -> Tensor:
    """(B,): mean over channels of the logarithm of the squared error of planes that are averaged
    over squares of `TONE` pixels first. A cast of colour raises it, which features hardly see;
    texture does not.
    """
    off = F.avg_pool2d(planes - truth, TONE, ceil_mode=True).square().mean((2, 3))
    return (off + ROUNDING).log().mean(1)
