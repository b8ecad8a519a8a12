"""Sequences of vectors in, the same after a transformer out: pre-norm blocks with full attention
(Dosovitskiy et al., ICLR 2021). Modules carry the names that published checkpoints use.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Every position looks at every other; queries, keys and values come from one matrix."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, width) to the same shape."""
        batch, length, width = x.shape
        together = F.linear(x, self.in_proj_weight, self.in_proj_bias)
        q, k, v = together.view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v)
        return self.out_proj(seen.transpose(1, 2).reshape(batch, length, width))


class MLP(nn.Module):
    """Each position by itself, four times as wide inside; GELU in its exact form."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.c_proj(F.gelu(self.c_fc(x)))


class Block(nn.Module):
    """Attention and MLP, each added to what it was given normalised."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.ln_1, self.attn = nn.LayerNorm(width), Attention(width, heads)
        self.ln_2, self.mlp = nn.LayerNorm(width), MLP(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    """What TiTok's encoder and decoder share: places for a class vector, the patches of a grid and
    the latents, and the blocks between two norms.
    """

    def __init__(self, width: int, layers: int, heads: int, patches: int, latents: int) -> None:
        super().__init__()
        scale = width**-0.5
        self.class_embedding = nn.Parameter(scale * torch.randn(1, width))
        self.positional_embedding = nn.Parameter(scale * torch.randn(1 + patches, width))
        self.latent_token_positional_embedding = nn.Parameter(scale * torch.randn(latents, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = nn.ModuleList(Block(width, heads) for _ in range(layers))

    def run(self, patches: Tensor, latents: Tensor) -> Tensor:
        """Class vector, patches (B, P, width) and latents (B, k, width), each in its place, through
        the blocks: (B, 1 + P + k, width).
        """
        first = self.class_embedding.expand(len(patches), 1, -1)
        grid = torch.cat((first, patches), 1) + self.positional_embedding
        latents = latents + self.latent_token_positional_embedding[: latents.shape[1]]
        x = self.ln_pre(torch.cat((grid, latents), 1))
        for block in self.transformer:
            x = block(x)
        return x
