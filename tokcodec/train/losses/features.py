"""Pictures to the features that a network for recognition sees in them, and how far two differ.

The first seven convolutions of VGG-16 (Simonyan and Zisserman, 2015), whose features follow human
judgement of likeness better than pixels do (Johnson et al., 2016; Zhang et al., 2018).
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from tokcodec.errors import ArgumentError, DamagedModelError, InputError
from tokcodec.files import read

STAGES = ((64, 64), (128, 128), (256, 256, 256))  # widths; halved in between
MEAN = (123.675, 116.28, 103.53)  # of ImageNet's pixels, 0..255
DEVIATION = (58.395, 57.12, 57.375)
EPSILON = 1e-8


class Features(nn.Module):
    """RGB (B, 3, h, w) in 0..255 to the last features of each stage; frozen."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, weights: list[tuple[Tensor, Tensor]]) -> None:
        super().__init__()
        rest, before = iter(weights), 3
        self.stages = nn.ModuleList()
        for widths in STAGES:
            stage = nn.ModuleList()
            for width in widths:
                convolution = nn.Conv2d(before, width, 3, padding=1)
                weight, bias = next(rest)
                convolution.weight.data.copy_(weight)
                convolution.bias.data.copy_(bias)  # type: ignore[union-attr]
                stage.append(convolution)
                before = width
            self.stages.append(stage)
        for name, values in (("mean", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(values)[:, None, None])
        self.eval().requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, rgb: Tensor) -> list[Tensor]:
        x = ((rgb - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)
        found = []
        for i, stage in enumerate(self.stages):
            x = F.max_pool2d(x, 2) if i else x
            for convolution in stage:  # type: ignore[attr-defined]
                x = F.relu(convolution(x))
            found.append(x)
        return found


def difference(one: list[Tensor], two: list[Tensor]) -> Tensor:
    """(B,): mean squared distance of the features' directions, summed over the stages; each lies
    in 0..2, as features are not negative.
    """
    parts = [
        (F.normalize(a, dim=1, eps=EPSILON) - F.normalize(b, dim=1, eps=EPSILON))
        .square()
        .sum(1)
        .mean((1, 2))
        for a, b in zip(one, two, strict=True)
    ]
    return torch.stack(parts).sum(0)


def vgg16(path: Path | None) -> Features:
    """The network from a safetensors file (`features.N.weight`, `features.N.bias`, as torchvision
    names them, or N the number of the convolution); without one, torchvision's own.

    Raises:
        ArgumentError: neither a file nor torchvision is there.
        InputError, DamagedModelError: the file cannot be read, or holds something else.
    """
    if path is None:
        try:
            from torchvision.models import VGG16_Weights, vgg16
        except ImportError:
            raise ArgumentError(
                "likeness and critic look through VGG-16: name its file (features = ...), or "
                "pip install torchvision"
            ) from None
        try:
            state = vgg16(weights=VGG16_Weights.IMAGENET1K_V1).state_dict()
        except (OSError, RuntimeError) as e:  # no network; a file that was cut off
            raise InputError(f"torchvision cannot download VGG-16: {e}") from e
    else:
        try:
            state = load(read(path))
        except SafetensorError as e:
            raise DamagedModelError(f"{path} holds no weights: {e}") from e
    named = {k.split(".")[1]: k for k in state if k.startswith("features.") and "weight" in k}
    try:
        ordered = [named[n] for n in sorted(named, key=int)][: sum(map(len, STAGES))]
        weights = [(state[k], state[k.replace("weight", "bias")]) for k in ordered]
        return Features([(w.float(), b.float()) for w, b in weights])
    except (KeyError, ValueError, RuntimeError, StopIteration) as e:
        said = path or "torchvision's file"
        raise DamagedModelError(f"{said} does not hold VGG-16: {e}") from e
