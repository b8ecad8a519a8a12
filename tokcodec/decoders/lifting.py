"""`tokens.wavelet` over torch tensors, differentiable: planes to halves, and back.

Same filters, same extension at the ends, same scaling; results agree to float32 rounding.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tokcodec.tokens.wavelet import LIFT, SCALE_HIGH, SCALE_LOW

_LIFT = tuple(float(w) for w in LIFT)
_LOW, _HIGH = float(SCALE_LOW), float(SCALE_HIGH)


def split(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """Halve an axis (-1 or -2, two samples or more): low (ceil half), high (floor half)."""
    low, high = _every_other(x, 0, dim), _every_other(x, 1, dim)
    for i, weight in enumerate(_LIFT):
        if i % 2 == 0:
            high = high + weight * _evens_around(low, high.shape[dim], dim)
        else:
            low = low + weight * _odds_around(high, low.shape[dim], dim)
    return low * _LOW, high * _HIGH


def merge(low: Tensor, high: Tensor, dim: int) -> Tensor:
    """The inverse of `split`."""
    low, high = low / _LOW, high / _HIGH
    for i, weight in reversed(list(enumerate(_LIFT))):
        if i % 2 == 0:
            high = high - weight * _evens_around(low, high.shape[dim], dim)
        else:
            low = low - weight * _odds_around(high, low.shape[dim], dim)
    return _interleaved(low, high, dim)


def _every_other(x: Tensor, start: int, dim: int) -> Tensor:
    return x[..., start::2] if dim == -1 else x[..., start::2, :]


def _evens_around(low: Tensor, n: int, dim: int) -> Tensor:
    """The two even samples around each of `n` odd ones, summed; mirrored at the end."""
    after = torch.cat([low.narrow(dim, 1, low.shape[dim] - 1), low.narrow(dim, -1, 1)], dim)
    return (low + after).narrow(dim, 0, n)


def _odds_around(high: Tensor, n: int, dim: int) -> Tensor:
    """The two odd samples around each of `n` even ones, summed; mirrored at both ends."""
    m = high.shape[dim]
    padded = [high.narrow(dim, 0, 1), high]
    if n > m:  # the last sample is an even one
        padded.append(high.narrow(dim, m - 1, 1))
    whole = torch.cat(padded, dim)
    return whole.narrow(dim, 0, n) + whole.narrow(dim, 1, n)


def _interleaved(low: Tensor, high: Tensor, dim: int) -> Tensor:
    n, m = low.shape[dim], high.shape[dim]
    pairs = torch.stack([low.narrow(dim, 0, m), high], dim if dim == -1 else -2)
    shape = list(high.shape)
    shape[dim] = 2 * m
    woven = pairs.reshape(shape)
    return torch.cat([woven, low.narrow(dim, m, 1)], dim) if n > m else woven
