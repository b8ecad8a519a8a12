"""Vectors of patches and registers to vectors again: the layers that FlexTok's transformers and our
own tokenizer share, and what keeps float32 in either of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
    """Attention and MLP, each added to what it was given normalised."""

    def __init__(self, width: int, head: int) -> None:
        super().__init__()
        self.attn = Attention(width, head)
        self.mlp = GatedMLP(width)

    def forward(self, x: Tensor, bias: Tensor | None) -> Tensor:
        x = x + self.attn(norm(x), bias)
        return x + self.mlp(norm(x))


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


def visible(patches: int, registers: int, device: torch.device) -> Tensor:
    """Which (columns) each (row) may see: bool (L, L), L of both together."""
    length = patches + registers
    seen = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    seen[:, :patches] = True
    return seen


class Float32(nn.Module):
    """A module whose parameters stay float32 when the rest of the network gives it up."""

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Moves to other devices, but keeps the precision."""
        return super()._apply(lambda t: t.to(fn(t).device), recurse)
