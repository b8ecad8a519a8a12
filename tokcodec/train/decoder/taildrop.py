"""Pictures and numbers of digits to what a decoder would receive of them: tail-drop, in torch.

The result is that of encoding a picture, cutting the stream after so many digits and reading it
back, but nothing is coded: a band's coefficients are rounded to the step of the last digit plane
that reached it, or of the plane before where the cut falls within a plane.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tokcodec.decoders.blend import shares
from tokcodec.decoders.received import telling
from tokcodec.pixels.colour import MID, ROOT2, ROOT3, ROOT6
from tokcodec.tokens.order import Order
from tokcodec.tokens.reconstruction import CENTROID_UNIT, centroids


class Cut(NamedTuple):
    """What a decoder is given.

    `bands` are (B, C, h, w) of one channel's layout, coarsest first; `received` is the condition
    (B, RECEIVED) of the network; the true bands lie within `half` of `middle`; `share` (B,) is how
    much the correction counts.
    """

    bands: list[Tensor]
    received: Tensor
    middle: list[Tensor]
    half: list[Tensor]
    share: Tensor


def to_planes(rgb: Tensor) -> Tensor:
    """uint8 (B, 3, H, W) to the orthonormal planes of `pixels.colour`, float32."""
    r, g, b = (rgb.float() - float(MID)).unbind(1)
    return torch.stack(
        [(r + g + b) / float(ROOT3), (r - b) / float(ROOT2), (r - 2 * g + b) / float(ROOT6)], 1
    )


def to_rgb(planes: Tensor) -> Tensor:
    """Planes (B, 3, H, W) to RGB, float32 in 0..255 where the picture is, neither clipped nor
    rounded.
    """
    y, u, v = planes[:, 0] / float(ROOT3), planes[:, 1] / float(ROOT2), planes[:, 2] / float(ROOT6)
    return torch.stack([y + v + u, y - 2 * v, y + v - u], 1) + float(MID)


class _Rounded(NamedTuple):
    """Coefficients (B, h, w) after some digit planes: decoded values and the interval of each."""

    value: Tensor
    middle: Tensor
    half: Tensor


class TailDrop:
    """Cuts pictures of the size of `order` (three channels) after any number of digits."""

    def __init__(self, order: Order, device: torch.device | str = "cpu") -> None:
        self.order = order
        self.layout = len(order.bands) // order.channels
        model = order.model
        starts: dict[tuple[int, int], int] = {}
        at = 0
        for step in order.passes:
            starts.setdefault((step.band, step.plane), at)
            at += step.digits
        self.starts = [
            torch.tensor([starts[i, p] for p in range(order.planes[i])], device=device)
            for i in range(len(order.bands))
        ]
        self.centroids = []  # (planes + 1, 2); row 0, before the first plane, is never used
        for i, band in enumerate(order.bands):
            rows = [(0, 0)] + [centroids(model, band, p) for p in range(order.planes[i])]
            table = np.asarray(rows, np.float32) * CENTROID_UNIT
            self.centroids.append(torch.from_numpy(table).to(device))
        self.telling = [torch.from_numpy(x).to(device) for x in telling(order)]
        self.ranks = []
        for band in order.bands[: self.layout]:
            cells = np.concatenate(order.grid(order.bands.index(band)).passes)
            rank = np.empty(len(cells), np.int64)
            rank[cells] = np.arange(len(cells))
            self.ranks.append(torch.from_numpy(rank.reshape(band.height, band.width)).to(device))

    def cut(self, bands: list[Tensor], digits: Tensor) -> Cut:
        """What `digits` (B,) of each picture's true `bands` leave, and the condition."""
        out: list[list[_Rounded]] = [[] for _ in bands]  # by place in the layout, then channel
        told, lit, mean = [], [], []  # of each band: planes received; see `blend.expected_error`
        for i in range(len(self.order.bands)):
            channel, place = divmod(i, self.layout)
            beyond = digits - self.starts[i][:, None]  # (planes, B): digits since each plane began
            plane = (beyond > 0).sum(0) - 1  # the last that was begun; -1: none
            begun = plane.clamp(min=0)
            size = self.ranks[place].numel()
            count = beyond.gather(0, begun[None])[0].clamp(0, size)  # of its digits
            last = self._rounded(bands[place][:, channel], i, plane)
            before = self._rounded(bands[place][:, channel], i, plane - 1)
            seen = self.ranks[place] < count[:, None, None]
            pairs = zip(last, before, strict=True)
            found = _Rounded(*(torch.where(seen, a, b) for a, b in pairs))
            out[place].append(found)
            told.append((begun + count / size) * (plane >= 0))
            lit.append((found.middle != 0).float().mean((-2, -1)))
            mean.append(found.middle.abs().mean((-2, -1)))
        values = [torch.stack([c.value for c in channels], 1) for channels in out]
        middle = [torch.stack([c.middle for c in channels], 1) for channels in out]
        half = [torch.stack([c.half for c in channels], 1) for channels in out]
        source, weight, bias = self.telling
        planes = torch.stack(told, 1).float()
        counted = [torch.stack(x, 1).double().cpu().numpy() for x in (told, lit, mean)]
        share = torch.from_numpy(shares(self.order, *counted)).to(planes)
        return Cut(values, planes[:, source] * weight + bias, middle, half, share)

    def _rounded(self, coefficients: Tensor, band: int, plane: Tensor) -> _Rounded:
        """True coefficients (B, h, w) after the digits up to those of `plane` (B,); -1: none."""
        planes, model = self.order.planes[band], self.order.model
        channel = self.order.bands[band].channel
        limit = (3**planes - 1) // 2
        finest = torch.round(coefficients / model.step(channel, planes - 1)).clamp(-limit, limit)
        unit = (3.0 ** (planes - 1 - plane))[:, None, None]  # odd: there are no ties
        magnitude = torch.round(finest.abs() / unit)
        table = self.centroids[band][plane.clamp(min=-1) + 1]
        shrink = torch.where(magnitude > 1, table[:, 1, None, None], table[:, 0, None, None])
        step = model.step(channel, planes - 1) * unit
        value = torch.where(magnitude > 0, (magnitude - shrink) * step, 0.0)
        known = (plane >= 0)[:, None, None]
        middle = torch.copysign(magnitude * step, finest) * known
        half = torch.where(known, step / 2, torch.inf).expand_as(middle)
        return _Rounded(torch.copysign(value, finest) * known, middle, half)
