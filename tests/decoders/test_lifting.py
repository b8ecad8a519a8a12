"""Lifting in torch: the codec's halves, their inverse, and gradients."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.tokens import wavelet

torch = pytest.importorskip("torch")

from tokcodec.decoders import lifting  # noqa: E402

SIZES = [*range(2, 10), 16, 17, 64, 255]


def samples(n: int) -> np.ndarray:
    """Float32 (2, 3, n, 5): an axis -2 of `n` samples."""
    return np.random.default_rng(n).normal(0, 100, (2, 3, n, 5)).astype(np.float32)


def along(x: np.ndarray, dim: int) -> torch.Tensor:
    """As a tensor whose axis `dim` is the axis -2 of `x`."""
    return torch.from_numpy(x if dim == -2 else x.swapaxes(-1, -2))


@pytest.mark.parametrize("dim", [-1, -2])
@pytest.mark.parametrize("n", SIZES)
def test_the_halves_are_those_of_the_codec(n: int, dim: int) -> None:
    x = samples(n)
    for mine, theirs in zip(lifting.split(along(x, dim), dim), wavelet.split(x), strict=True):
        assert mine.shape == along(theirs, dim).shape
        assert (mine - along(theirs, dim)).abs().max() < 1e-3


@pytest.mark.parametrize("dim", [-1, -2])
@pytest.mark.parametrize("n", SIZES)
def test_any_halves_are_merged_as_the_codec_does(n: int, dim: int) -> None:
    x = samples(n)
    low, high = x[..., ::2, :], x[..., 1::2, :]
    mine = lifting.merge(along(low, dim), along(high, dim), dim)
    assert (mine - along(wavelet.merge(low, high), dim)).abs().max() < 2e-3


@pytest.mark.parametrize("dim", [-1, -2])
@pytest.mark.parametrize("n", SIZES)
def test_split_and_merge_are_inverse(n: int, dim: int) -> None:
    x = along(samples(n), dim)
    before = x.clone()
    low, high = lifting.split(x, dim)
    assert (low.shape[dim], high.shape[dim]) == ((n + 1) // 2, n // 2)
    assert (lifting.merge(low, high, dim) - x).abs().max() < 1e-3
    assert torch.equal(x, before)


@pytest.mark.parametrize("dim", [-1, -2])
@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_gradients_go_both_ways(n: int, dim: int) -> None:
    x = torch.from_numpy(samples(n)[:1, :1]).double()
    x = (x if dim == -2 else x.mT).requires_grad_()
    low, high = (half.detach().requires_grad_() for half in lifting.split(x, dim))
    assert torch.autograd.gradcheck(lambda x: lifting.split(x, dim), x)
    assert torch.autograd.gradcheck(lambda low, high: lifting.merge(low, high, dim), (low, high))
