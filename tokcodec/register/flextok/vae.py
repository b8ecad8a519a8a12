"""The autoencoder beneath FlexTok: pixels to an eighth of the size in more channels, and back.

Rombach et al.: High-Resolution Image Synthesis with Latent Diffusion Models, CVPR 2022. Its parts
are called as in the checkpoints of diffusers, which others can then load.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-6
RESIDUALS = 2  # residual blocks a resolution in the encoder; the decoder has one more


@dataclass(frozen=True)
class VAEShape:
    """Channels of each resolution, finest first; groups of the normalisation; latent channels."""

    latent: int
    channels: tuple[int, ...] = (128, 256, 512, 512)
    groups: int = 32

    @property
    def factor(self) -> int:
        """Pixels a side for each latent."""
        return 2 ** (len(self.channels) - 1)


class VAE(nn.Module):
    """Pixels are in -1..1, (B, 3, h, w) with sides that are multiples of `shape.factor`."""

    def __init__(self, shape: VAEShape) -> None:
        super().__init__()
        self.encoder = Encoder(shape)
        self.decoder = Decoder(shape)
        self.quant_conv = nn.Conv2d(2 * shape.latent, 2 * shape.latent, 1)
        self.post_quant_conv = nn.Conv2d(shape.latent, shape.latent, 1)

    def encode(self, pixels: Tensor) -> Tensor:
        """The mean of the posterior: (B, latent, h / factor, w / factor)."""
        return self.quant_conv(self.encoder(pixels)).chunk(2, 1)[0]

    def decode(self, latents: Tensor) -> Tensor:
        """Pixels; they may lie a little outside -1..1."""
        return self.decoder(self.post_quant_conv(latents))


class Encoder(nn.Module):
    def __init__(self, shape: VAEShape) -> None:
        super().__init__()
        channels, groups = shape.channels, shape.groups
        finer = (channels[0], *channels[:-1])
        last = len(channels) - 1
        self.conv_in = nn.Conv2d(3, channels[0], 3, padding=1)
        self.down_blocks = nn.ModuleList(
            Down(finer[i], channels[i], groups, halve=i < last) for i in range(len(channels))
        )
        self.mid_block = Middle(channels[-1], groups)
        self.conv_norm_out = nn.GroupNorm(groups, channels[-1], EPSILON)
        self.conv_out = nn.Conv2d(channels[-1], 2 * shape.latent, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels to means and logarithms of variances, one after the other."""
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        x = self.mid_block(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class Decoder(nn.Module):
    def __init__(self, shape: VAEShape) -> None:
        super().__init__()
        channels, groups = shape.channels[::-1], shape.groups
        coarser = (channels[0], *channels[:-1])
        last = len(channels) - 1
        self.conv_in = nn.Conv2d(shape.latent, channels[0], 3, padding=1)
        self.mid_block = Middle(channels[0], groups)
        self.up_blocks = nn.ModuleList(
            Up(coarser[i], channels[i], groups, double=i < last) for i in range(len(channels))
        )
        self.conv_norm_out = nn.GroupNorm(groups, channels[-1], EPSILON)
        self.conv_out = nn.Conv2d(channels[-1], 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mid_block(self.conv_in(x))
        for block in self.up_blocks:
            x = block(x)
        return self.conv_out(F.silu(self.conv_norm_out(x)))


class Down(nn.Module):
    """One resolution of the encoder; `halve` leads to the next."""

    def __init__(self, before: int, width: int, groups: int, halve: bool) -> None:
        super().__init__()
        self.resnets = _residuals(before, width, groups, RESIDUALS)
        self.downsamplers = nn.ModuleList([Halve(width)] if halve else [])

    def forward(self, x: Tensor) -> Tensor:
        for part in (*self.resnets, *self.downsamplers):
            x = part(x)
        return x


class Up(nn.Module):
    """One resolution of the decoder; `double` leads to the next."""

    def __init__(self, before: int, width: int, groups: int, double: bool) -> None:
        super().__init__()
        self.resnets = _residuals(before, width, groups, RESIDUALS + 1)
        self.upsamplers = nn.ModuleList([Double(width)] if double else [])

    def forward(self, x: Tensor) -> Tensor:
        for part in (*self.resnets, *self.upsamplers):
            x = part(x)
        return x


class Middle(nn.Module):
    """The coarsest resolution, where every place sees every other."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.resnets = _residuals(width, width, groups, 2)
        self.attentions = nn.ModuleList([Attention(width, groups)])

    def forward(self, x: Tensor) -> Tensor:
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class Residual(nn.Module):
    """Two convolutions, and past them what goes in, by one of a single pixel if widths differ."""

    def __init__(self, before: int, width: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, before, EPSILON)
        self.conv1 = nn.Conv2d(before, width, 3, padding=1)
        self.norm2 = nn.GroupNorm(groups, width, EPSILON)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(before, width, 1) if before != width else None

    def forward(self, x: Tensor) -> Tensor:
        changed = self.conv1(F.silu(self.norm1(x)))
        changed = self.conv2(F.silu(self.norm2(changed)))
        return (x if self.conv_shortcut is None else self.conv_shortcut(x)) + changed


class Attention(nn.Module):
    """One head over all places."""

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        self.group_norm = nn.GroupNorm(groups, width, EPSILON)
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x: Tensor) -> Tensor:
        places = self.group_norm(x).flatten(2).transpose(1, 2)
        q, k, v = self.to_q(places), self.to_k(places), self.to_v(places)
        seen = F.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]
        return x + self.to_out[0](seen).transpose(1, 2).reshape(x.shape)


class Halve(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.pad(x, (0, 1, 0, 1)))  # at the right and the bottom alone


class Double(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


def _residuals(before: int, width: int, groups: int, count: int) -> nn.ModuleList:
    return nn.ModuleList(Residual(before if i == 0 else width, width, groups) for i in range(count))
