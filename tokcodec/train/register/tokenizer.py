"""Photographs to a register tokenizer of one's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokcodec import devices
from tokcodec.errors import ArgumentError, DamagedModelError
from tokcodec.register.fsq import FSQ
from tokcodec.register.own.shape import RegisterShape
from tokcodec.register.own.skip import to_cosines
from tokcodec.register.own.tokenizer import RegisterTokenizer
from tokcodec.train.losses.critic import Adversary
from tokcodec.train.losses.error import EXACT, decibels, log_error
from tokcodec.train.losses.features import Features, difference, vgg16
from tokcodec.train.sheet import save_sheet

# A digit's first step, in deviations of what it rounds: about that of the best quantiser of five
# values for normal numbers (Max, 1960), seen through FSQ's tanh.
SPREAD = 1.6
SHARPNESS = 4.0  # of the soft digits whose entropy counts
SHEET = 6  # held-out photographs to draw


@dataclass(frozen=True)
class Aims:
    """What a configuration may say under [aims]: weights, against that of the logarithm of the
    squared error, which is 1.
    """

    entropy: float = 0.01  # bonus for digits that take all of their values evenly
    likeness: float = 0.0  # of VGG-16's features
    critic: float = 0.0  # of what a critic says that learns meanwhile
    critic_from: float = 0.7  # when it begins, as a share of the run
    features: str | None = None  # file of VGG-16; torchvision's without

    def __post_init__(self) -> None:
        if not 0 <= self.critic_from <= 1:
            raise ArgumentError("aims: critic_from lies in 0..1")


class RegisterTask:
    """Each step draws from all tokens and from a random first few, and sums both losses
    (cross-length training); the number of the few is log-uniform.
    """

    progress = 0.0

    def __init__(
        self, network: RegisterTokenizer, held_out: Tensor, device: torch.device, aims: Aims
    ) -> None:
        self.network, self.held_out, self.device, self.aims = network, held_out, device, aims
        self.features: Features | None = None
        if aims.likeness or aims.critic:
            self.features = vgg16(None if aims.features is None else Path(aims.features)).to(device)
        self.adversary = Adversary(device) if aims.critic else None

    def hidden(self) -> list[nn.Parameter]:
        """Matrices of the blocks."""
        return [p for n, p in self.network.named_parameters() if ".blocks." in n and p.ndim == 2]

    def state(self) -> dict[str, Any]:
        """The network's shape, as what its digits refine is in no weight, and the critic."""
        critic = {"adversary": self.adversary.state()} if self.adversary else {}
        return {"shape": self.network.shape.to_json()} | critic

    def restore(self, state: dict[str, Any]) -> None:
        """The critic, if there was one; the network has its shape since it was `begun`."""
        if self.adversary and "adversary" in state:
            self.adversary.restore(state["adversary"])

    def loss(self, network: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Pictures, uint8 (B, 3, h, w) of any shape, to the loss."""
        truth = squashed(batch, self.network.side)
        few = round(math.exp(float(torch.rand(())) * math.log(self.network.length)))
        with torch.autocast(self.device.type, torch.bfloat16, devices.half(self.device)):
            latents, drawn = network(truth, (self.network.length, few))
        errors = [log_error(255 * x.float(), 255 * truth).mean() for x in drawn]
        evenness = even(self.network.fsq, latents)
        loss = errors[0] + errors[1] - self.aims.entropy * evenness
        numbers = {
            "loss": float(loss.detach()), "psnr": decibels(math.log(255**2) - errors[0]),
            "psnr_few": decibels(math.log(255**2) - errors[1]), "even": float(evenness.detach()),
        }  # fmt: skip
        if self.features is not None:
            more, found = self._judge(self.features, truth, latents, drawn, few)
            loss, numbers = loss + more, numbers | found
        return loss, numbers

    def _judge(
        self, features: Features, truth: Tensor, latents: Tensor, drawn: list[Tensor], few: int
    ) -> tuple[Tensor, dict[str, float]]:
        """What features and, late in the run, the critic add to the loss, summed over both lengths;
        the critic learns, too.
        """
        adversary = self.adversary if self.progress >= self.aims.critic_from else None
        numbers: dict[str, float] = {}
        if adversary is None and not self.aims.likeness:
            return truth.new_zeros(()), numbers
        seen, twice = 255 * torch.cat(drawn), 255 * torch.cat([truth, truth])
        with torch.autocast(self.device.type, torch.bfloat16, devices.half(self.device)):
            theirs = [torch.cat([f, f]).detach() for f in features(255 * truth)]
            ours = features(seen)
            unlike = 2 * difference([f.float() for f in ours], [f.float() for f in theirs]).mean()
            loss = self.aims.likeness * unlike
            numbers["unlike"] = float(unlike.detach())
            if adversary is not None:
                with torch.no_grad():
                    values = self.network.fsq.straight(latents)
                    linear = [self.network.linear(values[:, :k]) for k in (values.shape[1], few)]
                told = 255 * torch.cat(linear)
                score, mistakes = adversary.judge(twice, seen, told, theirs, ours)
                loss = loss + 2 * self.aims.critic * score.mean()
                numbers |= {"mistakes": mistakes, "score": float(-score.detach().mean())}
        return loss, numbers

    @torch.inference_mode()
    def check(self, network: nn.Module, out: Path, step: int) -> dict[str, float]:
        """Mean PSNR by tokens kept, of 8-bit pictures; a sheet with originals and, below, what is
        drawn from more and more tokens.
        """
        tokenizer = cast(RegisterTokenizer, network)
        truth = squashed(self.held_out.to(self.device), tokenizer.side)
        ids = torch.cat([tokenizer.ids(x) for x in truth.split(8)])
        numbers, sheet = {}, [truth[:SHEET]]
        for tokens in lengths(tokenizer.length):
            drawn = torch.cat([tokenizer.pixels(x[:, :tokens]) for x in ids.split(8)])
            errors = ((drawn * 255).round() - truth * 255).square().mean((1, 2, 3)) + EXACT
            numbers[f"psnr_{tokens}"] = float((10 * torch.log10(255**2 / errors)).mean())
            sheet.append(drawn[:SHEET])
        rows = torch.cat([torch.cat(list(x), -1) for x in sheet], -2)
        save_sheet((rows * 255).round().cpu(), out / f"sheet-{step:06d}.png")
        return numbers


def lengths(most: int) -> list[int]:
    """Numbers of tokens to check with: powers of two, and all."""
    return [*(1 << i for i in range((most - 1).bit_length())), most]


def squashed(pictures: Tensor, side: int) -> Tensor:
    """uint8 (B, 3, h, w) to squares, float32 (B, 3, side, side) in 0..1."""
    pixels = pictures.float() / 255
    if pixels.shape[-2:] == (side, side):
        return pixels
    size = side, side
    return F.interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0, 1)


def even(fsq: FSQ, latents: Tensor) -> Tensor:
    """How evenly each digit takes its values over the batch, 0..1, mean of all: entropy of the mean
    of soft digits, against the most that it can be. Low where later tokens say nothing.
    """
    bounded = fsq.bounded(latents)
    parts = []
    for i, level in enumerate(fsq.levels):
        values = torch.arange(level, device=latents.device) - level // 2
        near = (bounded[..., i, None] - values).square()
        share = torch.softmax(-SHARPNESS * near, -1).mean(0)
        parts.append(-(share * share.clamp(min=1e-9).log()).sum(-1).mean() / math.log(level))
    return torch.stack(parts).mean()


def begun(checkpoint: Path) -> RegisterTokenizer:
    """A network of the shape that a run's checkpoint has, without its weights.

    Raises:
        DamagedModelError: it is no checkpoint of a register tokenizer.
    """
    try:
        found = torch.load(checkpoint, map_location="cpu", weights_only=True)["task"]["shape"]
    except Exception as e:  # torch's readers raise anything at damage
        raise DamagedModelError(f"cannot go on from {checkpoint}: {type(e).__name__}: {e}") from e
    return RegisterTokenizer(RegisterShape.from_json(found))


@torch.no_grad()
def started(shape: RegisterShape, pictures: Sequence[Tensor]) -> RegisterTokenizer:
    """A tokenizer whose digits refine cosines in a greedy order: each takes the one of which most
    squared error is left, over some pictures, uint8 (B, 3, h, w).
    """
    left = torch.cat([to_cosines(squashed(x, shape.side)) for x in pictures])
    fsq = FSQ(shape.levels)
    energy = left.square().mean(0)
    slots, gains, weights = [], [], []
    for i in range(shape.tokens * len(shape.levels)):
        slot = int(energy.argmax())
        found = left[:, slot]
        gain = 1 / (SPREAD * energy[slot].sqrt().clamp(min=1e-6))
        digit = i % len(shape.levels)
        latents = (found * gain)[:, None].expand(-1, len(shape.levels))
        said = fsq.straight(latents)[:, digit]
        weight = (found @ said / (said @ said).clamp(min=1e-6)).clamp(min=1e-6)
        left[:, slot] = found - weight * said
        energy[slot] = left[:, slot].square().mean()
        slots.append(slot)
        gains.append(gain)
        weights.append(weight)
    network = RegisterTokenizer(replace(shape, slots=tuple(slots)))
    network.skip.gains.copy_(torch.stack(gains).log())
    network.skip.weights.copy_(torch.stack(weights).log())
    return network
