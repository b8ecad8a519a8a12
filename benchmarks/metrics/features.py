"""A picture to what ImageNet networks see in it: activations of AlexNet and VGG-16, by stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's R, G and B in 0..1


def pixels(rgb: np.ndarray) -> Tensor:
    """uint8 (H, W, 3) to float32 (1, 3, H, W) in 0..1."""
    return torch.from_numpy(rgb.astype(np.float32)).permute(2, 0, 1)[None] / 255


class Features(nn.Module):
    """The convolutions of a classifier, cut into stages; its weights are fixed."""

    mean: Tensor
    std: Tensor

    def __init__(self, stages: Sequence[nn.Sequential]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        for parameter in self.parameters():  # channels last is a quarter faster on CPUs
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        self.eval().requires_grad_(False)

    def load(self, weights: dict[str, Tensor]) -> Features:
        """Takes `features.N.weight` and `features.N.bias` for the N-th convolution.

        Raises:
            KeyError: One is missing.
            RuntimeError: One has another shape.
        """
        convolutions = [m for m in self.modules() if isinstance(m, nn.Conv2d)]
        for i, convolution in enumerate(convolutions):
            for part in ("weight", "bias"):
                getattr(convolution, part).copy_(weights[f"features.{i}.{part}"])
        return self

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) in 0..1 to the activations at the end of each stage, all at least zero."""
        x = (x - self.mean) / self.std
        found = []
        for stage in self.stages:
            x = stage(x)
            found.append(x)
        return found


def alexnet() -> Features:
    """AlexNet in its one-column form (Krizhevsky, 2014): five stages of one convolution each."""
    pool = nn.MaxPool2d(3, 2)
    return Features(
        [
            nn.Sequential(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU()),
            nn.Sequential(pool, nn.Conv2d(64, 192, 5, padding=2), nn.ReLU()),
            nn.Sequential(pool, nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
            nn.Sequential(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
            nn.Sequential(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
        ]
    )


def vgg16(pool: Callable[[int], nn.Module] = lambda channels: nn.MaxPool2d(2)) -> Features:
    """VGG-16 (Simonyan and Zisserman, 2015) up to relu5_3: five stages, each ending before `pool`.

    Args:
        pool: Makes the layer that halves the size, from the number of channels.
    """
    stages: list[nn.Sequential] = []
    last = 3
    for convolutions, channels in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        layers: list[nn.Module] = [pool(last)] if stages else []
        for _ in range(convolutions):
            layers += [nn.Conv2d(last, channels, 3, padding=1), nn.ReLU(inplace=True)]
            last = channels
        stages.append(nn.Sequential(*layers))
    return Features(stages)
