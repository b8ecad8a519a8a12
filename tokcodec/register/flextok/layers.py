"""What tells FlexTok's decoder the time: as a vector, and in its blocks."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokcodec.register.layers import Attention, GatedMLP, norm

SLOWEST = 256  # of the time's waves, how many times slower than the fastest


class TimedBlock(nn.Module):
    """A block of the decoder: the time shifts, scales and gates it, patches unlike registers
    (adaLN: Peebles and Xie: Scalable Diffusion Models with Transformers, ICCV 2023).
    """

    def __init__(self, width: int, head: int) -> None:
        super().__init__()
        self.attn = Attention(width, head)
        self.mlp = GatedMLP(width)
        self.modulation = nn.Linear(width, 12 * width)

    def forward(self, x: Tensor, bias: Tensor | None, time: Tensor, patches: int) -> Tensor:
        """X (B, L, width), of which the first `patches` are patches; `time` (1, width)."""
        told = self.modulation(F.silu(time)).unflatten(-1, (2, 6, -1))
        kinds = torch.arange(x.shape[1], device=x.device).ge(patches).long()
        gate, gate_mlp, shift, scale, shift_mlp, scale_mlp = told[:, kinds].unbind(2)
        x = x + gate * self.attn(norm(x) * (1 + scale) + shift, bias)
        return x + gate_mlp * self.mlp(norm(x) * (1 + scale_mlp) + shift_mlp)


class Time(nn.Module):
    """A time to a vector, by way of its cosines and sines."""

    def __init__(self, width: int, waves: int, longest: float) -> None:
        super().__init__()
        self.waves, self.longest = waves, longest
        self.mlp = nn.Sequential(nn.Linear(waves, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, time: float) -> Tensor:
        """A time in 0..1 to (1, width)."""
        weight = next(self.mlp.parameters())
        half = torch.arange(self.waves // 2, dtype=torch.float32, device=weight.device)
        speeds = torch.exp(half * (-math.log(SLOWEST) / (self.waves // 2)))
        angles = (time * 1000 / self.longest) * speeds[None]
        return self.mlp(torch.cat([angles.cos(), angles.sin()], 1).to(weight.dtype))
