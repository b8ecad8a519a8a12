"""FlexTok's decoder: tokens and noisy latents to the velocity that leads to the picture's latents.

Tokens that were dropped all become one and the same vector, and so does every token where the
picture is drawn from nothing. Equal vectors stay equal in every block. So one stands for all of
them, and counts as many times: the logarithm of their number is added where others look at it.
A short list of tokens costs as little as it is short, and nothing else changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokcodec.register.flextok.layers import Time, TimedBlock
from tokcodec.register.flextok.shape import FlexTokShape
from tokcodec.register.layers import Patches, norm


@dataclass(frozen=True, eq=False)
class Condition:
    """What is known of a picture: registers (B, R, width), the last of which counts `times`."""

    registers: Tensor
    times: int = 1


class FlexTokDecoder(nn.Module):
    """A transformer over noisy patches and registers, in which all see all."""

    def __init__(self, shape: FlexTokShape) -> None:
        super().__init__()
        trunk, width = shape.decoder, shape.decoder.width
        numbers = shape.patch**2 * shape.vae.latent
        self.length, self.patch = shape.length, shape.patch
        self.embed = nn.Linear(len(shape.levels), width)
        self.places = nn.Parameter(torch.empty(1, 1, width, shape.length))
        self.dropped = nn.Parameter(torch.empty(width))
        self.nothing = nn.Parameter(torch.empty(width))
        self.patches = Patches(shape.vae.latent, shape.patch, width, trunk.table)
        self.time = Time(width, shape.waves, shape.longest)
        self.blocks = nn.ModuleList(TimedBlock(width, trunk.head) for _ in range(trunk.depth))
        self.modulation = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, numbers)

    def known(self, values: Tensor) -> Condition:
        """What the first tokens tell: the values of their digits, (B, k, D)."""
        b, k, _ = values.shape
        registers = self.embed(values) + self.places[0, :, :, :k].transpose(1, 2)
        if k == self.length:
            return Condition(registers)
        dropped = self.dropped.expand(b, 1, -1)
        return Condition(torch.cat([registers, dropped], 1), self.length - k)

    def unknown(self, batch: int) -> Condition:
        """What a picture is drawn from if nothing is known of it."""
        return Condition(self.nothing.expand(batch, 1, -1), self.length)

    def forward(self, latents: Tensor, time: float, condition: Condition) -> Tensor:
        """Noisy latents (B, C, h, w) at a time in 0..1 to their velocity, of the same shape."""
        patches = self.patches(latents)
        count = patches.shape[1]
        x = torch.cat([patches, condition.registers], 1)
        bias = x.new_zeros(1, x.shape[1])
        bias[:, -1] = math.log(condition.times)
        told = self.time(time)
        for block in self.blocks:
            x = block(x, bias if condition.times > 1 else None, told, count)
        shift, scale = self.modulation(F.silu(told))[:, None].chunk(2, -1)
        return self._joined(self.out(norm(x[:, :count]) * (1 + scale) + shift), latents.shape)

    def _joined(self, patches: Tensor, shape: torch.Size) -> Tensor:
        """Patches, each by row, column, channel, put side by side."""
        b, c, height, width = shape
        p = self.patch
        cut = patches.reshape(b, height // p, width // p, p, p, c)
        return cut.permute(0, 5, 1, 3, 2, 4).reshape(shape)
