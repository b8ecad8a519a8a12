"""Photographs to the network of the neural decoder."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from tokcodec.decoders.climb import climb, stacked, unstacked, up
from tokcodec.decoders.network import Network
from tokcodec.files import write_atomically
from tokcodec.model import Model
from tokcodec.tokens.order import order_for
from tokcodec.train.taildrop import Cut, TailDrop, analyse, to_planes, to_rgb

LEAST_DIGITS = 200  # of a cut; the most is a share of all
MOST_SHARE = 0.3  # about one bit a pixel
CHECK_TOKENS = (120, 360, 900, 2100, 4800, 12000)  # about 64 to 2,048 bytes at 256x256


class DecoderTask:
    """Cuts pictures after random numbers of digits and asks the network for the whole again."""

    def __init__(self, network: Network, model: Model, held_out: Tensor, device: torch.device):
        self.network, self.model, self.held_out, self.device = network, model, held_out, device
        self._drops: dict[tuple[int, int], TailDrop] = {}

    def hidden(self) -> list[nn.Parameter]:
        """Weights between features: of the residual blocks, and from one resolution to the next."""
        scales = self.network.scales
        return [
            p for s in scales for n, p in s.named_parameters() if p.ndim == 4 and "embed" not in n
        ]

    def drop(self, height: int, width: int) -> TailDrop:
        """Tail-drop for one picture size; worked out once."""
        key = height, width
        if key not in self._drops:
            self._drops[key] = TailDrop(order_for(self.model, height, width, 3), self.device)
        return self._drops[key]

    def loss(self, network: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Mean logarithm of the squared error: what raises the mean PSNR."""
        drop = self.drop(*batch.shape[-2:])
        truth = to_planes(batch)
        most = MOST_SHARE * drop.order.digits
        at = torch.rand(len(batch), device=batch.device)
        digits = (LEAST_DIGITS * (most / LEAST_DIGITS) ** at).long()
        with torch.no_grad():
            cut = drop.cut(analyse(truth), digits)
        with torch.autocast(self.device.type, torch.bfloat16, self.device.type == "cuda"):
            planes, linear = corrected(network, cut, batch.shape[-2], batch.shape[-1])
        error = (planes - truth).square().mean((1, 2, 3)) + 0.05
        loss = error.log().mean()
        gain = (linear - truth).square().mean((1, 2, 3)) + 0.05
        gained = 10 / np.log(10) * (gain.log().mean() - loss)
        return loss, {"loss": float(loss.detach()), "gain_db": float(gained.detach())}

    @torch.inference_mode()
    def check(self, network: nn.Module, out: Path, step: int) -> dict[str, float]:
        """Mean PSNR gained over the linear decoder, by tokens kept, of 8-bit pictures; a sheet."""
        numbers, rows = {}, []
        height, width = self.held_out.shape[-2:]
        drop = self.drop(height, width)
        for tokens in CHECK_TOKENS:
            gains, shown = [], list[Tensor]()
            for part in self.held_out.split(8):
                part = part.to(self.device)
                truth = part.float()
                digits = torch.full((len(part),), 10 * tokens, device=self.device)
                cut = drop.cut(analyse(to_planes(part)), digits)
                planes, linear = corrected(network, cut, height, width)
                one, two = (to_rgb(x).round().clamp(0, 255) for x in (planes, linear))
                error, before = ((x - truth).square().mean((1, 2, 3)) for x in (one, two))
                gains.append(10 * torch.log10(before / error))
                if not shown:
                    shown = [torch.cat([truth[:4], two[:4], one[:4]], -2).cpu()]
            numbers[f"gain_{tokens}"] = float(torch.cat(gains).mean())
            rows.append(shown[0])
        sheet = torch.cat([torch.cat(list(r), -1) for r in rows[1::2]], -2)
        picture = Image.fromarray(sheet.permute(1, 2, 0).byte().numpy())
        data = io.BytesIO()
        picture.save(data, "PNG")
        write_atomically(out / f"sheet-{step:06d}.png", data.getvalue(), overwrite=True)
        return {"gain": float(np.mean(list(numbers.values())))} | numbers


def corrected(network: nn.Module, cut: Cut, height: int, width: int) -> tuple[Tensor, Tensor]:
    """What the network makes of a cut, and the linear inverse: planes (B, 3, height, width)."""
    steps = climb(cut.bands, height, width)
    linear = up(steps[-1])
    finest = [stacked(s) for s in reversed(steps)]
    realism = linear.new_zeros(len(linear))
    out = network(finest, cut.received, realism)
    return linear + up(unstacked(out.float(), steps[-1].level)), linear
