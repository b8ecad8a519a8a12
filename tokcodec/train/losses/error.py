"""Squared errors of pictures, as logarithms and in decibels."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

EXACT = 1 / 12  # squared error of eight bits, added where a picture may be drawn without any
ROUNDING = 0.5  # squared error that nobody sees: eight bits round away a sixth of it


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
