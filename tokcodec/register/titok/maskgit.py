"""Logits over the codes of MaskGIT's VQGAN to pixels (Chang et al., CVPR 2022): the second stage of
TiTok's first models, which predict those codes instead of pixels.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

MULTIPLES = (1, 1, 2, 2, 4)  # of the last width, finest level first
UPSAMPLING = 1 << len(MULTIPLES) - 1
BLOCKS = 2  # a level
EPSILON = 1e-6


class ProxyCodes(nn.Module):
    """Logits to vectors: rows of the codebook, mixed in the proportions of their probabilities."""

    def __init__(self, codes: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(codes, width)

    def forward(self, logits: Tensor) -> Tensor:
        """(B, codes, h, w) to (B, width, h, w)."""
        shares = logits.float().softmax(1).to(logits.dtype).movedim(1, -1)
        return (shares @ self.embedding.weight).movedim(-1, 1)


class Residual(nn.Module):
    """Two convolutions, added to what they were given.

    Where the width changes, published weights belong to a network that adds a 1x1 convolution of
    the second one's *output* to it, and leaves the input out.
    """

    def __init__(self, given: int, width: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, given, EPSILON)
        self.conv1 = nn.Conv2d(given, width, 3, padding=1, bias=False)
        self.norm2 = nn.GroupNorm(groups, width, EPSILON)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.nin_shortcut = None if given == width else nn.Conv2d(width, width, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (x if self.nin_shortcut is None else self.nin_shortcut(h))


class Level(nn.Module):
    """Blocks of one resolution; all but the finest level double it at the end."""

    def __init__(self, given: int, width: int, groups: int, finest: bool) -> None:
        super().__init__()
        self.block = nn.ModuleList(
            Residual(given if i == 0 else width, width, groups) for i in range(BLOCKS)
        )
        self.upsample_conv = None if finest else nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        for block in self.block:
            x = block(x)
        if self.upsample_conv is None:
            return x
        return self.upsample_conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class PixelDecoder(nn.Module):
    """Vectors of codes (B, given, h, w) to pixels (B, 3, 16 h, 16 w), about 0..1 but not clamped.

    Args:
        given: numbers of a code's vector (published: 256).
        width: channels at full resolution (published: 128).
        groups: of the group norms (published: 32).
    """

    def __init__(self, given: int, width: int, groups: int = 32) -> None:
        super().__init__()
        widths = [width * m for m in MULTIPLES]
        self.conv_in = nn.Conv2d(given, widths[-1], 3, padding=1)
        self.mid = nn.ModuleList(Residual(widths[-1], widths[-1], groups) for _ in range(BLOCKS))
        entering = [*widths[1:], widths[-1]]
        self.up = nn.ModuleList(
            Level(before, after, groups, finest=i == 0)
            for i, (before, after) in enumerate(zip(entering, widths, strict=True))
        )
        self.norm_out = nn.GroupNorm(groups, width, EPSILON)
        self.conv_out = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv_in(x)
        for block in self.mid:
            x = block(x)
        for level in reversed(self.up):
            x = level(x)
        return self.conv_out(F.silu(self.norm_out(x)))
