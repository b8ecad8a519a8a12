"""A picture through a trained network and back: its planes, and slopes by torch's autograd."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tokcodec.decoders.blend import share
from tokcodec.decoders.climb import analyse, climb, stacked, unstacked, up
from tokcodec.decoders.consistent import interval
from tokcodec.decoders.neural import neural
from tokcodec.decoders.received import CHANNELS, received_planes
from tokcodec.decoders.torch_runtime import TorchRuntime
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.reconstruction import dequantise


class Neural:
    """The trained decoder at realism 0; see `effort.view.View`."""

    straight = False

    def __init__(self, runtime: TorchRuntime) -> None:
        self._runtime = runtime
        self._bands: list[Tensor] = []
        self._drawn = torch.zeros(0)

    @torch.enable_grad()
    def draw(self, known: Knowledge) -> np.ndarray:
        """As `decoders.neural` does, remembering how."""
        order, network = known.order, self._runtime.network
        each = len(order.bands) // order.channels
        groups = [range(i, len(order.bands), each) for i in range(each)]  # a band's channels
        values = [np.stack([dequantise(known, i) for i in group])[None] for group in groups]
        self._bands = [torch.from_numpy(v).requires_grad_() for v in values]
        absent = (0, 0, 0, 0, 0, CHANNELS - order.channels)
        steps = climb(
            [torch.nn.functional.pad(b, absent) for b in self._bands], order.height, order.width
        )
        finest = [stacked(s) for s in reversed(steps)]
        told = torch.from_numpy(received_planes(known))
        correction = network(finest, told, torch.zeros(1)) * share(known)
        out = unstacked(correction, steps[-1].level)
        corrected = (up(steps[-1]) + up(out))[:, : order.channels]
        inside = [
            _inside(known, group, *pair)
            for group, *pair in zip(groups, analyse(corrected), self._bands, strict=True)
        ]
        self._drawn = up(climb(inside, order.height, order.width)[-1])[0]
        return self._drawn.detach().numpy()

    def project(self, planes: np.ndarray) -> list[np.ndarray]:
        """Once for each picture drawn."""
        slopes = torch.autograd.grad(self._drawn, self._bands, torch.from_numpy(planes))
        return [s[0].numpy() for s in slopes]

    def picture(self, known: Knowledge) -> np.ndarray:
        """See `View.picture`."""
        return neural(known, (known.order.width, known.order.height), self._runtime)


def _inside(known: Knowledge, group: range, drawn: Tensor, sent: Tensor) -> Tensor:
    """A band that was drawn, (1, channels, h, w), each coefficient in its interval; intervals move
    with what was `sent`.
    """
    shape = drawn.shape[-2:]
    low, high = np.empty((2, len(group), *shape), np.float32)
    for c, band in enumerate(group):
        middle, half = interval(known, band) or (np.float32(0), np.float32(np.inf))
        low[c], high[c] = middle - half, middle + half
    least, most = torch.from_numpy(low), torch.from_numpy(high)
    fixed = sent.detach()
    return torch.clamp(drawn, sent + (least - fixed), sent + (most - fixed))
