"""FlexTok's encoder: latents of a picture to what its tokens are rounded from."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tokcodec.register.flextok.shape import FlexTokShape
from tokcodec.register.layers import Block, Patches, norm, visible


class FlexTokEncoder(nn.Module):
    """A transformer over patches and registers. Patches see patches alone; a register sees patches
    and registers up to itself. So the first few registers do not depend on how many follow.
    """

    def __init__(self, shape: FlexTokShape) -> None:
        super().__init__()
        trunk = shape.encoder
        self.patches = Patches(shape.vae.latent, shape.patch, trunk.width, trunk.table)
        self.registers = nn.Parameter(torch.empty(shape.length, trunk.width))
        self.blocks = nn.ModuleList(Block(trunk.width, trunk.head) for _ in range(trunk.depth))
        self.out = nn.Linear(trunk.width, len(shape.levels))

    def forward(self, latents: Tensor, count: int | None = None) -> Tensor:
        """Latents (B, C, h, w), scaled, to (B, count, D); by default all tokens."""
        patches = self.patches(latents)
        registers = self.registers[:count].expand(len(latents), -1, -1)
        x = torch.cat([patches, registers], 1)
        seen = visible(patches.shape[1], registers.shape[1], x.device)
        for block in self.blocks:
            x = block(x, seen)
        return self.out(norm(x[:, patches.shape[1] :]))
