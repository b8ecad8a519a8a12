"""LPIPS: two pictures to a distance, zero for equal ones, by AlexNet's or VGG-16's activations."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.metrics.features import alexnet, pixels, vgg16
from benchmarks.metrics.weights import MissingMetric, lpips_weights

NETS = {"alex": (alexnet, 31), "vgg": (vgg16, 16)}  # below so many pixels a stage has no output


class Lpips:
    """Learned perceptual image patch similarity, version 0.1 (Zhang et al., CVPR 2018).

    The activations of each stage are scaled to unit length at each position; the squared
    differences, weighted by channel, are averaged over positions and summed over stages.
    At the picture's own size: nothing is resized. AlexNet needs a shorter side of 31 pixels, VGG-16
    of 16.

    Raises:
        MissingMetric: The weights are not to be had.
    """

    def __init__(self, net: str) -> None:
        make, self.least = NETS[net]
        weights = lpips_weights(net)
        try:
            self.features = make().load(weights)
            self.channels = [weights[f"lin.{i}.weight"].float() for i in range(5)]
        except (KeyError, RuntimeError) as error:
            raise MissingMetric(f"these are no weights of LPIPS with {net}: {error}") from error

    def prepare(self, a: np.ndarray) -> list[Tensor]:
        return self.activations(pixels(a))

    def compare(self, prepared: list[Tensor], b: np.ndarray) -> float:
        return float(self.distance(prepared, self.activations(pixels(b))))

    @torch.inference_mode()
    def activations(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) in 0..1 to activations of unit length, by stage."""
        return [f / (f.square().sum(1, keepdim=True).sqrt() + 1e-10) for f in self.features(x)]

    @torch.inference_mode()
    def distance(self, fs: list[Tensor], gs: list[Tensor]) -> Tensor:
        """The distances (N,) of two batches, from their activations."""
        stages = zip(fs, gs, self.channels, strict=True)
        maps = [functional.conv2d((f - g).square(), w) for f, g, w in stages]
        return torch.stack([m.mean((1, 2, 3)) for m in maps]).sum(0)
