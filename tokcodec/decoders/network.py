"""The network of the neural decoder: every resolution of a picture to a correction of its finest.

It climbs the pyramid as the inverse transform does. At each of the finest resolutions, as many as
its shape has, it takes in the low band and the details there, adds what came from below, and hands
its features up; at the last it gives a correction of low band and details, which one inverse
transform turns into pixels. What was received of each band scales and shifts the features (FiLM:
Perez et al., 2018). Only convolutions, nothing global: any picture size.

A network that knows realism has more blocks at every resolution, whose changes count as much as
realism is wanted: at 0 they are left out. They see noise beside the bands, since where nothing was
received convolutions alone draw nothing but a flat patch. It is always the same noise, so that a
stream always gives the same picture.
"""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokcodec.decoders.noise import noise
from tokcodec.decoders.received import RECEIVED
from tokcodec.decoders.shape import BANDS, INPUTS, LEAK, Shape, spread


class Block(nn.Module):
    """Two 3x3 convolutions; what was received scales and shifts in between."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        nn.init.normal_(self.second.weight, std=0.01)  # at first close to the identity
        nn.init.zeros_(self.second.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, film: Tensor) -> Tensor:
        """What to add to `x`; `film` (B, 2 C) has scales and shifts."""
        scale, shift = film[:, :, None, None].chunk(2, 1)
        filmed = torch.addcmul(shift, self.first(x), 1 + scale)
        return self.second(F.leaky_relu(filmed, LEAK, inplace=True))


class Scale(nn.Module):
    """One resolution: its bands, the features of the coarser one and a condition to its features.

    A condition, (B, n), holds the scales and shifts of `blocks` and then, in a network that knows
    realism, those of the blocks of realism and the realism wanted (`Shape.conditions`).
    """

    def __init__(self, width: int, blocks: int, coarser: int | None, realism: int = 0) -> None:
        super().__init__()
        self.embed = nn.Conv2d(BANDS, width, 3, padding=1)
        self.up = nn.Conv2d(coarser, width, 1) if coarser else None
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))
        if realism:
            self.noisy = nn.Conv2d(INPUTS, width, 3, padding=1)
            self.realism = nn.ModuleList(Block(width) for _ in range(realism))
            for layer in (self.noisy, *(block.second for block in self.realism)):
                _silence(layer)  # type: ignore[arg-type]
        self.films = 2 * width * blocks  # numbers of the condition that scale and shift features

    def forward(self, inputs: Tensor, below: Tensor | None, condition: Tensor) -> Tensor:
        x = self.embed(inputs[:, :BANDS])
        if below is not None and self.up is not None:
            x = x + grown(self.up(below), x.shape[-2], x.shape[-1])
        films, rest = condition[:, : self.films], condition[:, self.films :]
        for block, film in zip(self.blocks, films.chunk(len(self.blocks), 1), strict=True):
            x = block(x, film).add_(x)
        if not rest.shape[1] or not rest[:, -1].any():  # realism 0
            return x
        wanted, styles = rest[:, -1, None, None, None], rest[:, :-1]
        x = torch.addcmul(x, wanted, self.noisy(inputs))
        for block, film in zip(self.realism, styles.chunk(len(self.realism), 1), strict=True):
            x = torch.addcmul(x, wanted, block(x, film))
        return x


def grown(x: Tensor, height: int, width: int) -> Tensor:
    """Features doubled by repetition to the next resolution (an axis no longer split stays)."""
    doubled = height > x.shape[-2], width > x.shape[-1]
    if any(doubled):
        x = F.interpolate(x, scale_factor=tuple(1.0 + axis for axis in doubled))
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
        widths, blocks, hidden = self.shape.widths, self.shape.blocks, self.shape.hidden
        realism = self.shape.realism or (0,) * len(widths)
        self.scales = nn.ModuleList(
            Scale(*given)
            for given in zip(widths, blocks, [*widths[1:], None], realism, strict=True)
        )
        self.condition = _told(RECEIVED, hidden, sum(self.shape.films))
        if self.shape.realism:
            self.style = _told(RECEIVED + 1, hidden, sum(self.shape.styles))
        self.out = nn.Conv2d(widths[0], BANDS, 3, padding=1)
        _silence(self.out)
        self.register_buffer("spread", torch.from_numpy(spread()), persistent=False)

    def conditions(self, received: Tensor, realism: Tensor) -> list[Tensor]:
        """What `Scale` is given at each resolution, finest first: (B, `Shape.conditions`)."""
        films = self.condition(received).split(self.shape.films, 1)
        if not self.shape.realism:
            return list(films)
        wanted = realism[:, None]
        styles = self.style(torch.cat([received, wanted], 1)).split(self.shape.styles, 1)
        return [torch.cat([f, s, wanted], 1) for f, s in zip(films, styles, strict=True)]

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


def _told(given: int, hidden: int, found: int) -> nn.Sequential:
    """A condition to scales and shifts; at first none."""
    layers = nn.Sequential(nn.Linear(given, hidden), nn.SiLU(), nn.Linear(hidden, found))
    _silence(layers[-1])  # type: ignore[arg-type]
    return layers


def _silence(layer: nn.Linear | nn.Conv2d) -> None:
    """At first it adds nothing."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def with_realism(network: Network, blocks: tuple[int, ...]) -> Network:
    """A network that draws the same at realism 0, and has so many blocks of realism to train."""
    found = Network(replace(network.shape, realism=blocks))
    found.load_state_dict(network.state_dict(), strict=False)
    return found
