"""The layers of FlexTok's two transformers."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SLOWEST = 256  # of the time's waves, how many times slower than the fastest


def norm(x: Tensor) -> Tensor:
    """To mean 0 and variance 1 along the last axis, computed in float32; nothing is learned."""
    return F.layer_norm(x.float(), x.shape[-1:]).to(x.dtype)


class Attention(nn.Module):
    """Self-attention without biases; queries and keys are normalised in each head."""

    def __init__(self, width: int, head: int) -> None:
        super().__init__()
        self.head = head
        self.wq, self.wk, self.wv, self.proj = (
            nn.Linear(width, width, bias=False) for _ in range(4)
        )

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """X (B, L, width); `bias` (L, L) or (1, L) is added to what each thinks of the others, or
        says whom it may see.
        """
        q, k, v = (
            w(x).unflatten(-1, (-1, self.head)).transpose(1, 2) for w in (self.wq, self.wk, self.wv)
        )
        # Scaled by 8 / head instead of 1 / sqrt(head), as in muP: the same for heads of 64.
        seen = F.scaled_dot_product_attention(norm(q), norm(k), v, bias, scale=8 / self.head)
        return self.proj(seen.transpose(1, 2).flatten(2))


class GatedMLP(nn.Module):
    """SwiGLU (Shazeer, 2020), without biases."""

    def __init__(self, width: int) -> None:
        super().__init__()
        hidden = 8 * width // 3
        self.fc1, self.fc3 = (nn.Linear(width, hidden, bias=False) for _ in range(2))
        self.fc2 = nn.Linear(hidden, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.silu(self.fc1(x)) * self.fc3(x))


class Block(nn.Module):
    """A block of the encoder."""

    def __init__(self, width: int, head: int) -> None:
        super().__init__()
        self.attn = Attention(width, head)
        self.mlp = GatedMLP(width)

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        x = x + self.attn(norm(x), bias)
        return x + self.mlp(norm(x))


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


class Patches(nn.Module):
    """Latents to one vector for each square of `patch` a side, row by row, each told its place."""

    def __init__(self, channels: int, patch: int, width: int, table: tuple[int, int]) -> None:
        super().__init__()
        self.patch = patch
        self.proj = nn.Linear(patch * patch * channels, width)
        self.places = nn.Parameter(torch.empty(1, width, *table))

    def forward(self, latents: Tensor) -> Tensor:
        """(B, channels, h, w) to (B, h w / patch^2, width)."""
        b, c, height, width = latents.shape
        p, rows, columns = self.patch, height // self.patch, width // self.patch
        # Within a patch: row, column, channel.
        cut = latents.reshape(b, c, rows, p, columns, p).permute(0, 2, 4, 3, 5, 1)
        places = self.places[:, :, :rows, :columns].flatten(2).transpose(1, 2)
        return self.proj(cut.reshape(b, rows * columns, p * p * c)) + places


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
