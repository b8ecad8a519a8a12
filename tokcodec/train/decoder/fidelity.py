"""Photographs to the network of the neural decoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tokcodec import devices
from tokcodec.decoders.climb import analyse, climb, stacked, unstacked, up
from tokcodec.decoders.network import Network
from tokcodec.decoders.received import CHANNELS, EACH
from tokcodec.model import Model
from tokcodec.tokens.order import order_for
from tokcodec.train.config import RATES
from tokcodec.train.decoder.taildrop import Cut, TailDrop, to_planes, to_rgb
from tokcodec.train.losses.error import decibels, gained, log_error
from tokcodec.train.sheet import save_sheet

MIN_DIGITS = 45  # of a cut: as many a pixel, of 128x128, as 16 bytes of 256x256; the most is all
FOR_USUAL = 0.6  # the share of cuts that are certain to be at usual rates
CHECK_TOKENS = (120, 360, 900, 2100, 4800, 12000)  # about 64 to 2,048 bytes at 256x256


class DecoderTask:
    """Cuts pictures after random numbers of digits and asks the network for the whole again.

    Args:
        network: to train.
        model: whose order of digits pictures are cut in.
        held_out: photographs to check with, uint8 RGB (n, 3, height, width).
        rates: digits a pixel between which most cuts lie, the smaller first.
    """

    realisms: tuple[float, ...] = (0.0,)  # to check
    progress = 0.0

    def __init__(
        self,
        network: Network,
        model: Model,
        held_out: Tensor,
        device: torch.device,
        rates: Sequence[float] = RATES,
    ) -> None:
        self.network, self.model, self.held_out, self.device = network, model, held_out, device
        self.rates = rates
        self._drops: dict[tuple[int, int], TailDrop] = {}

    def hidden(self) -> list[nn.Parameter]:
        """Weights between features: of the residual blocks, and from one resolution to the next."""
        scales = self.network.scales
        return [
            p for s in scales for n, p in s.named_parameters() if p.ndim == 4 and "embed" not in n
        ]

    def state(self) -> dict[str, Any]:
        """Nothing: all is in the network."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""

    def drop(self, height: int, width: int) -> TailDrop:
        """Tail-drop for one picture size; worked out once."""
        key = height, width
        if key not in self._drops:
            self._drops[key] = TailDrop(order_for(self.model, height, width, 3), self.device)
        return self._drops[key]

    def cut(self, truth: Tensor) -> tuple[Cut, Tensor]:
        """Planes (B, 3, h, w), each cut after a random number of digits, and these numbers (B,)."""
        drop = self.drop(*truth.shape[-2:])
        pixels = truth.shape[-2] * truth.shape[-1]
        digits = random_digits(len(truth), pixels, drop.order.digits, truth.device, self.rates)
        with torch.no_grad():
            cut = drop.cut(analyse(truth), digits)
        # A grey picture is sent without chromas, which are told as its luma is.
        grey = (truth[:, 1:] == 0).all((1, 2, 3))[:, None]
        told = torch.where(grey, cut.received[:, :EACH].repeat(1, CHANNELS), cut.received)
        return cut._replace(received=told), digits

    def autocast(self) -> torch.autocast:
        """bfloat16, where it is faster."""
        return torch.autocast(self.device.type, torch.bfloat16, devices.half(self.device))

    def loss(self, network: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Mean logarithm of the squared error: what raises the mean PSNR."""
        truth = to_planes(batch)
        cut, _ = self.cut(truth)
        with self.autocast():
            planes, linear = corrected(network, cut, *batch.shape[-2:])
        loss, before = log_error(planes, truth).mean(), log_error(linear, truth).mean()
        return loss, {"loss": float(loss.detach()), "gain_db": decibels(before - loss)}

    @torch.inference_mode()
    def check(self, network: nn.Module, out: Path, step: int) -> dict[str, float]:
        """Mean PSNR gained over the linear decoder, by tokens kept, of 8-bit pictures; a sheet with
        originals, linear and trained decoder's pictures below each other.
        """
        numbers = dict[str, list[float]]()
        columns = []
        for tokens in CHECK_TOKENS:
            sheet = list[Tensor]()
            for part in self.held_out.split(8):
                truth = part.to(self.device)
                drawn = self._drawn(network, truth, tokens)
                for name, values in self.judged(drawn, truth.float()).items():
                    numbers.setdefault(f"{name}_{tokens}", []).extend(values.tolist())
                sheet = sheet or [x[:4].cpu() for x in (truth, *drawn)]
            columns.append(torch.cat([torch.cat(list(x), -1) for x in sheet], -2))
        save_sheet(torch.cat(columns[1::2], -2), out / f"sheet-{step:06d}.png")
        means = {name: float(np.mean(values)) for name, values in numbers.items()}
        gains = [v for name, v in means.items() if name.startswith("gain_")]
        return {"gain": float(np.mean(gains))} | means

    def judged(self, drawn: list[Tensor], truth: Tensor) -> dict[str, Tensor]:
        """Numbers of each picture (B,): `drawn` has the linear decoder's and then one for each of
        `realisms`, float32 RGB (B, 3, h, w), whole numbers in 0..255.
        """
        return {"gain": gained(drawn[0], drawn[1], truth)}

    def _drawn(self, network: nn.Module, truth: Tensor, tokens: int) -> list[Tensor]:
        height, width = truth.shape[-2:]
        digits = torch.full((len(truth),), 10 * tokens, device=self.device)
        cut = self.drop(height, width).cut(analyse(to_planes(truth)), digits)
        planes = list[Tensor]()
        for realism in self.realisms:
            wanted = torch.full((len(truth),), realism, device=self.device)
            found, linear = corrected(network, cut, height, width, wanted)
            planes = [*(planes or [linear]), found]
        return [to_rgb(x).round().clamp(0, 255) for x in planes]


def random_digits(
    count: int, pixels: int, most: int, device: torch.device, rates: Sequence[float] = RATES
) -> Tensor:
    """(count,) of up to `most` digits to cut pictures after: log-uniform, most of them at the
    usual `rates`, in digits a pixel.
    """
    low, high = (min(max(MIN_DIGITS, pixels * x), most) for x in rates)
    usual, at = torch.rand(2, count, device=device)
    digits = torch.where(
        usual < FOR_USUAL, low * (high / low) ** at, MIN_DIGITS * (most / MIN_DIGITS) ** at
    )
    return digits.long().clamp(max=most)


def corrected(
    network: nn.Module,
    cut: Cut,
    height: int,
    width: int,
    realism: Tensor | None = None,
    place: tuple[int, int] = (0, 0),
) -> tuple[Tensor, Tensor]:
    """What the network makes of a cut, and the linear inverse: planes (B, 3, height, width).
    `realism` (B,) is 0 unless told, `place` where the noise begins. As in `decoders.neural` the
    correction of nearly perfect pictures fades, and coefficients that have left their interval are
    put back.
    """
    steps = climb(cut.bands, height, width)
    linear = up(steps[-1])
    finest = [stacked(s) for s in reversed(steps)]
    if realism is None:
        realism = linear.new_zeros(len(linear))
    out = network(finest, cut.received, realism, place).float() * cut.share[:, None, None, None]
    drawn = analyse(linear + up(unstacked(out, steps[-1].level)))
    inside = [
        torch.clamp(b, m - h, m + h) for b, m, h in zip(drawn, cut.middle, cut.half, strict=True)
    ]
    return up(climb(inside, height, width)[-1]), linear
