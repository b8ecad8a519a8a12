"""DISTS: two pictures to a distance, zero for equal ones, tolerant of texture in other places."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.metrics.features import pixels, vgg16
from benchmarks.metrics.weights import MissingMetric, dists_weights

EPSILON = 1e-6  # c1 and c2 of the paper


class L2Pool(nn.Module):
    """Halves the size by the root of a Hann-weighted mean of squares, which does not alias."""

    kernel: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        hann = torch.tensor([0.25, 0.5, 0.25])
        kernel = torch.outer(hann, hann).expand(channels, 1, 3, 3).clone()
        self.register_buffer("kernel", kernel)

    def forward(self, x: Tensor) -> Tensor:
        power = functional.conv2d(x.square(), self.kernel, stride=2, padding=1, groups=x.shape[1])
        return (power + 1e-12).sqrt()


class Dists:
    """Deep image structure and texture similarity (Ding et al., TPAMI 2020).

    In the picture itself and in the five stages of a VGG-16 with L2 pooling, two similarities a
    channel: of the means (texture) and of the covariance (structure), weighted by alpha and beta.
    At the picture's own size: nothing is resized. Needs a shorter side of 16 pixels, as LPIPS does
    on this network: the last stage sees sixteenths of the picture.

    Raises:
        MissingMetric: The weights are not to be had.
    """

    least = 16

    def __init__(self) -> None:
        weights = dists_weights()
        try:
            self.features = vgg16(L2Pool).load(weights)
            alpha, beta = (weights[name].float().flatten() for name in ("alpha", "beta"))
        except (KeyError, RuntimeError) as error:
            raise MissingMetric(f"these are no weights of DISTS: {error}") from error
        total = alpha.sum() + beta.sum()
        self.texture, self.structure = alpha / total, beta / total

    def prepare(self, a: np.ndarray) -> list[Tensor]:
        return self.activations(pixels(a))

    def compare(self, prepared: list[Tensor], b: np.ndarray) -> float:
        return float(self.distance(prepared, self.activations(pixels(b))))

    @torch.inference_mode()
    def activations(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) in 0..1 to the picture and the activations of each stage."""
        return [x, *self.features(x)]

    @torch.inference_mode()
    def distance(self, fs: list[Tensor], gs: list[Tensor]) -> Tensor:
        """The distances (N,) of two batches, from their activations."""
        means, covariances = [], []
        for f, g in zip(fs, gs, strict=True):
            mf, mg = f.mean((2, 3)), g.mean((2, 3))
            vf, vg = f.var((2, 3), correction=0), g.var((2, 3), correction=0)
            both = (f * g).mean((2, 3)) - mf * mg
            means.append((2 * mf * mg + EPSILON) / (mf.square() + mg.square() + EPSILON))
            covariances.append((2 * both + EPSILON) / (vf + vg + EPSILON))
        similarity = torch.cat(means, 1) @ self.texture + torch.cat(covariances, 1) @ self.structure
        return 1 - similarity
