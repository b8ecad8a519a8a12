"""The network of the neural decoder: every resolution of a picture to a correction of its finest.

It climbs the pyramid as the inverse transform does. At each of the finest resolutions, as many as
its shape has, it takes in the low band and the details there, adds what came from below, and hands
its features up; at the last it gives a correction of low band and details, which one inverse
transform turns into pixels. What was received of each band, and how much realism is wanted, scale
and shift the features (FiLM: Perez et al., 2018). Only convolutions, nothing global: any picture
size.

Beside the bands goes noise, as strong as the realism wanted: where nothing was received,
convolutions alone draw nothing but a flat patch. It is always the same noise, so that a stream
always gives the same picture.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokcodec.decoders.noise import noise
from tokcodec.decoders.received import RECEIVED
from tokcodec.decoders.shape import BANDS, INPUTS, LEAK, Shape, spread


class Block(nn.Module):
    """Two 3x3 convolutions beside the identity; the condition scales and shifts in between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.normal_(self.second.weight, std=0.01)  # at first close to the identity
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        y = self.first(x) * scale + shift
        return x + self.second(F.leaky_relu(y, LEAK))


class Scale(nn.Module):
    """What happens at one resolution: bands in, features of the coarser one in, features out."""

    def __init__(self, width: int, blocks: int, coarser: int | None) -> None:
        super().__init__()
        self.embed = nn.Conv2d(INPUTS, width, 3, padding=1)
        self.up = nn.Conv2d(coarser, width, 1) if coarser else None
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))

    def forward(self, inputs: Tensor, below: Tensor | None, condition: Tensor) -> Tensor:
        x = self.embed(inputs)
        if below is not None and self.up is not None:
            x = x + grown(self.up(below), x.shape[-2], x.shape[-1])
        for block, part in zip(self.blocks, condition.chunk(len(self.blocks), 1), strict=True):
            scale, shift = part[:, :, None, None].chunk(2, 1)
            x = block(x, 1 + scale, shift)
        return x


def grown(x: Tensor, height: int, width: int) -> Tensor:
    """Features doubled by repetition to the next resolution (an axis no longer split stays)."""
    if height > x.shape[-2]:
        x = x.repeat_interleave(2, -2)
    if width > x.shape[-1]:
        x = x.repeat_interleave(2, -1)
    return x[..., :height, :width]


class Network(nn.Module):
    """See the module's docstring.

    Args of `forward`:
        bands: (B, 12, h, w) of the finest resolutions, finest first, at most `len(widths)` of them,
            as `climb.stacked` gives.
        received: (B, RECEIVED), as `received` gives.
        realism: (B,), 0..1.
        place: row and column where the noise begins; training varies it.

    Returns:
        (B, 12, h, w): what to add to the first of `bands`.
    """

    spread: Tensor

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape or Shape()
        widths, blocks = self.shape.widths, self.shape.blocks
        scales = [
            Scale(w, n, coarser)
            for w, n, coarser in zip(widths, blocks, [*widths[1:], None], strict=True)
        ]
        last = nn.Linear(self.shape.hidden, sum(self.shape.conditions))
        first = nn.Linear(RECEIVED + 1, self.shape.hidden)
        self.condition = nn.Sequential(first, nn.SiLU(), last)
        self.out = nn.Conv2d(widths[0], BANDS, 3, padding=1)
        for layer in (last, self.out):  # at first: no condition, no correction
            nn.init.zeros_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        self.scales = nn.ModuleList(scales)
        self.register_buffer("spread", torch.from_numpy(spread()), persistent=False)

    def conditions(self, received: Tensor, realism: Tensor) -> list[Tensor]:
        """(B, .) for each resolution, finest first."""
        given = torch.cat([received, realism[:, None]], 1)
        return list(self.condition(given).split(self.shape.conditions, 1))

    def inputs(self, bands: Tensor, realism: Tensor, place: tuple[int, int] = (0, 0)) -> Tensor:
        """Bands (B, 12, h, w) of a resolution, scaled, with their noise: (B, INPUTS, h, w)."""
        b, _, h, w = bands.shape
        loud = realism[:, None, None, None] * torch.from_numpy(noise(h, w, place)).to(bands)
        return torch.cat([bands / self.spread, loud.expand(b, -1, -1, -1)], 1)

    def forward(
        self,
        bands: list[Tensor],
        received: Tensor,
        realism: Tensor,
        place: tuple[int, int] = (0, 0),
    ) -> Tensor:
        conditions = self.conditions(received, realism)
        x = None
        for i in reversed(range(min(len(bands), len(self.scales)))):
            x = self.scales[i](self.inputs(bands[i], realism, place), x, conditions[i])
        return self.out(x) * self.spread
