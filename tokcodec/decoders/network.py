"""The network of the neural decoder: every resolution of a picture to a correction of its finest.

It climbs the pyramid as the inverse transform does. At each of the finest `SCALES` resolutions it
takes in the low band and the details there, adds what came from below, and hands its features up;
at the last it gives a correction of low band and details, which one inverse transform turns into
pixels. What was received of each band, and how much realism is wanted, scale and shift the
features (FiLM: Perez et al., 2018). Only convolutions, nothing global: any picture size.

Beside the bands goes noise, as strong as the realism wanted: where nothing was received,
convolutions alone draw nothing but a flat patch. It is always the same noise, so that a stream
always gives the same picture.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokcodec.decoders.climb import PARTS
from tokcodec.model import Model
from tokcodec.prior.context import Knowledge
from tokcodec.tokens.layout import LOW
from tokcodec.tokens.order import Order

CHANNELS = 3
KNOWN_SCALES = 8  # resolutions, finest first, whose share received is told
RECEIVED = CHANNELS * (1 + 3 * KNOWN_SCALES)
SPREAD = (64.0, 16.0, 16.0, 8.0)  # typical size of low band, across, down, diagonal: to about 1
MOST = 2048  # channels, blocks of a resolution, hidden numbers: what a file may ask for
NOISE = 4  # channels of it
INPUTS = PARTS * CHANNELS + NOISE  # channels that go into each resolution
TILE = 256  # rows and columns after which the noise repeats
COMPLETE = 8.0  # steps received of a channel that a grey picture does not have


@dataclass(frozen=True)
class Shape:
    """Width and number of residual blocks of each resolution, finest first."""

    widths: tuple[int, ...] = (32, 64, 96, 128, 128)
    blocks: tuple[int, ...] = (1, 2, 3, 3, 2)
    hidden: int = 128

    def to_json(self) -> str:
        """As text, for a file's metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Shape:
        """The inverse of `to_json`; ValueError, KeyError or TypeError for anything else."""
        found = json.loads(text)
        if unknown := set(found) - {"widths", "blocks", "hidden"}:
            raise ValueError(f"a network's shape has no {', '.join(sorted(unknown))}")
        shape = cls(tuple(found["widths"]), tuple(found["blocks"]), found["hidden"])
        numbers = (*shape.widths, *shape.blocks, shape.hidden)
        if not all(isinstance(n, int) and 0 < n <= MOST for n in numbers):
            raise ValueError(f"widths, blocks and hidden are whole numbers in 1..{MOST}")
        if not 0 < len(shape.widths) == len(shape.blocks):
            raise ValueError("widths and blocks have one number each for every resolution")
        return shape


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
        return x + self.second(F.leaky_relu(y, 0.1))


class Scale(nn.Module):
    """What happens at one resolution: bands in, features of the coarser one in, features out."""

    def __init__(self, width: int, blocks: int, coarser: int | None) -> None:
        super().__init__()
        self.width = width
        self.embed = nn.Conv2d(INPUTS, width, 3, padding=1)
        self.up = nn.Conv2d(coarser, width, 1) if coarser else None
        self.blocks = nn.ModuleList(Block(width) for _ in range(blocks))

    @property
    def conditions(self) -> int:
        """Numbers that the condition gives to this resolution."""
        return 2 * self.width * len(self.blocks)

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
        self._sizes = [s.conditions for s in scales]
        last = nn.Linear(self.shape.hidden, sum(self._sizes))
        first = nn.Linear(RECEIVED + 1, self.shape.hidden)
        self.condition = nn.Sequential(first, nn.SiLU(), last)
        self.out = nn.Conv2d(widths[0], PARTS * CHANNELS, 3, padding=1)
        for layer in (last, self.out):  # at first: no condition, no correction
            nn.init.zeros_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        self.scales = nn.ModuleList(scales)
        spread = torch.tensor(SPREAD).repeat_interleave(CHANNELS)[:, None, None]
        self.register_buffer("spread", spread, persistent=False)

    def conditions(self, received: Tensor, realism: Tensor) -> list[Tensor]:
        """(B, .) for each resolution, finest first."""
        given = torch.cat([received, realism[:, None]], 1)
        return list(self.condition(given).split(self._sizes, 1))

    def inputs(self, bands: Tensor, realism: Tensor, place: tuple[int, int] = (0, 0)) -> Tensor:
        """Bands (B, 12, h, w) of a resolution, scaled, with their noise: (B, INPUTS, h, w)."""
        b, _, h, w = bands.shape
        loud = realism[:, None, None, None] * noise(h, w, place).to(bands)
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


def noise(height: int, width: int, place: tuple[int, int] = (0, 0)) -> Tensor:
    """Standard normal numbers (NOISE, height, width), a cut at `place` (row, column) of an endless
    sheet: for ever the same.
    """
    rows, columns = (np.arange(n) + at for n, at in zip((height, width), place, strict=True))
    return torch.from_numpy(_tile()[:, rows[:, None] % TILE, columns % TILE])


@cache
def _tile() -> np.ndarray:
    frozen = np.random.RandomState(1)  # its numbers never change, unlike those of a Generator
    return frozen.standard_normal((NOISE, TILE, TILE)).astype(np.float32)


def received_columns(order: Order) -> list[tuple[int, int]]:
    """(band, column of the condition) for each band that the condition tells of."""
    depth = max(b.level for b in order.bands)
    found = []
    for i, b in enumerate(order.bands):
        scale = depth - b.level  # 0 is the finest
        if b.orientation == LOW:
            found.append((i, b.channel * (1 + 3 * KNOWN_SCALES)))
        elif scale < KNOWN_SCALES:
            column = b.channel * (1 + 3 * KNOWN_SCALES) + 1 + 3 * scale + b.orientation - 1
            found.append((i, column))
    return found


def received(order: Order, planes: Tensor) -> Tensor:
    """What is known of each band to the network's condition.

    Args:
        planes: (B, bands): planes received, with the share of the last as a fraction.

    Returns:
        (B, RECEIVED): minus the logarithm (base 3) of the step that is left, over 4: for each
        channel that of the low band, then by resolution, finest first, and direction. A band that
        the picture does not have is told as the low band; a channel it does not have as complete.
    """
    model: Model = order.model
    tops = [math.log(2 * int(t) / 256, 3) for t in model.arrays["tops"]]
    out = planes.new_full((planes.shape[0], CHANNELS, 1 + 3 * KNOWN_SCALES), COMPLETE)
    flat = out.view(planes.shape[0], RECEIVED)
    columns = received_columns(order)
    for c in range(order.channels):
        low = next(i for i, b in enumerate(order.bands) if b.channel == c and b.orientation == LOW)
        out[:, c] = (planes[:, low] - tops[c])[:, None]
    for band, column in columns:
        flat[:, column] = planes[:, band] - tops[order.bands[band].channel]
    return flat / 4 - 1


def received_planes(known: Knowledge) -> Tensor:
    """`received` for one picture: (1, RECEIVED)."""
    planes = []
    for i, band in enumerate(known.order.bands):
        share = known.seen(i) / (band.height * band.width)
        planes.append(known.plane[i] + share if known.plane[i] >= 0 else 0.0)
    return received(known.order, torch.tensor([planes], dtype=torch.float32))
