"""Photographs to a network that draws as close as it can, or as naturally: one network, one knob.

Conditioning on the realism wanted, as in "Multi-Realism Image Compression with a Conditional
Generator" (Agustsson et al., CVPR 2023): the more realism a picture asks for, the more do likeness
of features weigh, and a critic that tells the network's pictures from examples. What realism 0
draws may stay as it is (only the blocks of realism learn), or learn along: then part of every batch
asks for none, and is judged by squared error alone.

What is an example depends on what was received. Of many bytes the photograph is. Of few, no network
can find the photograph again, and towards it any loss only blurs: there the example is what
Real-ESRGAN, four times as slow and seven times as large, makes of the linear inverse at a quarter
of the size. That can be learnt, since the same bytes always give the same example.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from tokcodec.decoders.climb import climb
from tokcodec.decoders.network import Network, with_realism
from tokcodec.errors import ArgumentError
from tokcodec.model import Model
from tokcodec.train.config import RATES
from tokcodec.train.decoder.fidelity import DecoderTask, corrected
from tokcodec.train.decoder.replay import Replay
from tokcodec.train.decoder.taildrop import Cut, to_planes, to_rgb
from tokcodec.train.decoder.teacher import Teacher, teacher
from tokcodec.train.images.crops import Sizes
from tokcodec.train.losses.contrast import contrast, contrast_error
from tokcodec.train.losses.critic import RATE, Adversary
from tokcodec.train.losses.error import (
    decibels,
    gained,
    log_error,
    patchwise_log_error,
    tone_log_error,
)
from tokcodec.train.losses.features import Features, difference, vgg16

FEW, MANY = 0.3, 1.5  # digits a pixel: up to so many the teacher's example, from so many the truth
MIN_CROP = 32  # pixels a side of crops that ask for realism
MIN_WINDOW = 16  # pixels a side of what the critic can judge
AROUND = 16  # pixels around the window that the teacher sees, too


@dataclass(frozen=True)
class Realism:
    """What a configuration may say under [realism].

    `weights`, against that of the logarithm of the squared error, are those at realism 1.
    """

    features: str | None = None  # file of VGG-16; torchvision's without
    teacher: bool = True  # examples by Real-ESRGAN where little was received
    replay: int = 0  # how often each batch is learnt from again; the teacher need not draw it anew
    kept: int = 64  # batches to choose those from
    default: float = 0.5  # what the decoder's card recommends
    blocks: Sequence[int] = (1, 1, 2, 2, 1)  # of realism at each resolution, if there are none yet
    frozen: bool = True  # only they learn: what realism 0 draws stays
    share: float = 1.0  # of a batch that asks for realism
    window: int = 64  # pixels a side of the part of each crop that is judged; 0: all
    likeness: float = 0.5  # weight of the features' difference
    critic: float = 0.5  # weight of the critic's score
    error: float = 0.3  # weight of the squared error's logarithm
    patch: int = 0  # pixels a side of the squares whose logarithms are averaged; 0: one for all
    contrast: float = 0.0  # weight of the difference of texture's strength
    tone: float = 0.0  # weight of the error of colours averaged over 16x16 pixels
    critic_rate: float = RATE

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1 or not 0 <= self.default <= 1:
            raise ArgumentError("realism: share and default lie in 0..1")
        if self.window % 4 or 0 < self.window < MIN_WINDOW or self.kept < 1:
            raise ArgumentError(
                f"realism: window is 0 or a multiple of 4 from {MIN_WINDOW}, kept at least 1"
            )
        if not all(type(n) is int and n >= 1 for n in self.blocks):
            raise ArgumentError("realism: blocks are whole numbers of at least 1")

    def usable(self, sizes: Sequence[Sizes]) -> list[Sizes]:
        """The sizes of crops that have something to learn from: where only the blocks of realism
        learn, those that are large enough to ask for it.

        Raises:
            ArgumentError: there is none.
        """
        found = [s for s in sizes if not self.frozen or min(s.side, s.height or s.side) >= MIN_CROP]
        if not found:
            raise ArgumentError(f"realism: crops of {MIN_CROP} pixels a side or more are needed")
        return found

    def task(
        self,
        network: Network,
        model: Model,
        held_out: Tensor,
        device: torch.device,
        rates: Sequence[float] = RATES,
    ) -> RealismTask:
        """What to train, with features and teacher from their files; the arguments are those of
        `DecoderTask`.
        """
        if not network.shape.realism:
            if len(self.blocks) != len(network.shape.widths):
                raise ArgumentError("realism: blocks has one number for every resolution")
            network = with_realism(network, tuple(self.blocks)).train()
        seen = vgg16(None if self.features is None else Path(self.features))
        example = teacher() if self.teacher else None
        return RealismTask(network, model, held_out, device, self, seen, example, rates)


class Lesson(NamedTuple):
    """Cuts, what they were cut from, and what pictures of so much realism are compared with."""

    truth: Tensor  # planes (B, 3, h, w)
    cut: Cut
    realism: Tensor  # (B,)
    example: Tensor  # RGB (n, 3, h', w'): of those that ask for realism, the window
    window: tuple[slice, slice]  # rows and columns that are judged


class RealismTask(DecoderTask):
    """See the module's docstring."""

    realisms = (0.0, 1.0)

    def __init__(
        self,
        network: Network,
        model: Model,
        held_out: Tensor,
        device: torch.device,
        settings: Realism,
        features: Features,
        teacher: Teacher | None,
        rates: Sequence[float] = RATES,
    ) -> None:
        super().__init__(network, model, held_out, device, rates)
        if not network.shape.realism:
            raise ArgumentError("this network has no blocks of realism")
        if settings.frozen:
            for name, p in network.named_parameters():
                p.requires_grad_(any(part in name for part in ("realism", "noisy", "style")))
        self.settings = settings
        self.features = features.to(device)
        self.teacher = teacher.to(device) if teacher else None
        self.replay = Replay[Lesson](settings.replay, settings.kept)
        self.adversary = Adversary(device, settings.critic_rate)

    def state(self) -> dict[str, Any]:
        """The critic and what its optimiser remembers."""
        return self.adversary.state()

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.adversary.restore(state)

    def loss(self, network: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, float]]:
        """See the module's docstring."""
        lesson = self.replay.again()
        if lesson is None:
            lesson = self.lesson(batch)
            self.replay.keep(lesson)
        truth, cut, realism, *_ = lesson
        height, width = truth.shape[-2:]
        place = tuple(torch.randint(1 << 16, (2,)).tolist())
        with self.autocast():
            planes, linear = corrected(network, cut, height, width, realism, place)
        error = log_error(planes, truth)
        plain = realism == 0
        local = patchwise_log_error(planes, truth, self.settings.patch)
        wrong = torch.where(plain, error, local)
        loss = ((1 - (1 - self.settings.error) * realism) * wrong).mean()
        numbers = {"loss": float(loss.detach())}
        if self.settings.tone:
            off = tone_log_error(planes, truth)
            loss = loss + self.settings.tone * (realism * off).mean()
            numbers["tone"] = float(off.detach().mean())
        if plain.any():
            gained = (log_error(linear[plain], truth[plain]) - error[plain]).mean()
            numbers["gain_db"] = decibels(gained)
        if not plain.all():
            more, found = self._judge(planes[~plain], linear[~plain], lesson)
            loss = loss + more / len(truth)
            numbers |= found
        elif self.settings.critic:
            with self.autocast():
                self.adversary.wait()
        return loss, numbers

    def lesson(self, batch: Tensor) -> Lesson:
        """Photographs, uint8 (B, 3, h, w), to all that a step needs."""
        height, width = batch.shape[-2:]
        truth = to_planes(batch)
        cut, digits = self.cut(truth)
        realism = self.wanted(len(batch))
        if min(height, width) < MIN_CROP:
            realism = torch.zeros_like(realism)
        asking = realism > 0
        window = rows, columns = self._window(truth)
        example = to_rgb(truth[asking][..., rows, columns])
        if self.teacher is not None and asking.any():
            rate = digits[asking] / (height * width)
            likely = (math.log(MANY) - rate.log()) / math.log(MANY / FEW)
            few = (torch.rand_like(rate) < likely).nonzero()[:, 0]
            if len(few):
                quarter = climb(cut.bands, height, width)[-2].low[asking][few]
                example = example.index_copy(0, few, self._taught(quarter, rows, columns))
        return Lesson(truth, cut, realism, example, window)

    def wanted(self, count: int) -> Tensor:
        """Realism (count,): 0 for some; of the rest, half ask for 1, half for anything up to it."""
        asking = math.ceil(self.settings.share * count)
        some = torch.rand(asking, device=self.device).clamp(min=0.01)
        some[: (asking + 1) // 2] = 1.0
        return torch.cat([some, some.new_zeros(count - asking)])

    def _window(self, planes: Tensor) -> tuple[slice, slice]:
        """Rows and columns that are judged, anywhere in a crop and mostly at an edge: what is never
        judged there is drawn otherwise there, and pictures get a frame.
        """
        height, width = planes.shape[-2:]
        return _part(height, self.settings.window), _part(width, self.settings.window)

    def _judge(
        self, planes: Tensor, linear: Tensor, lesson: Lesson
    ) -> tuple[Tensor, dict[str, float]]:
        """What realism adds to the loss, summed over who asks for it; the critic learns, too."""
        rows, columns = lesson.window
        drawn, plain = (to_rgb(x[..., rows, columns]) for x in (planes, linear))
        example, realism = lesson.example, lesson.realism[lesson.realism > 0]
        with self.autocast():
            with torch.no_grad():
                theirs = self.features(example)
            ours = self.features(drawn)
            unlike = difference([f.float() for f in ours], [f.float() for f in theirs])
        loss = self.settings.likeness * unlike
        numbers = {"unlike": float(unlike.detach().mean())}
        if self.settings.contrast:
            wrong = contrast_error(contrast(drawn), contrast(example))
            loss = loss + self.settings.contrast * wrong
            numbers["contrast"] = float(wrong.detach().mean())
        if self.settings.critic:
            with self.autocast():
                score, mistakes = self.adversary.judge(example, drawn, plain, theirs, ours)
            loss = loss + self.settings.critic * score
            numbers |= {"mistakes": mistakes, "score": float(-score.detach().mean())}
        return (realism * loss).sum(), numbers

    @torch.no_grad()
    def _taught(self, quarter: Tensor, rows: slice, columns: slice) -> Tensor:
        """The teacher's window, RGB, of planes (B, 3, h / 4, w / 4) of the linear inverse."""
        top, left = (max(0, s.start - AROUND) for s in (rows, columns))
        seen = quarter[
            ..., top // 4 : (rows.stop + AROUND) // 4, left // 4 : (columns.stop + AROUND) // 4
        ]
        small = (to_rgb(seen) / 255).clamp(0, 1).contiguous(memory_format=torch.channels_last)
        with self.autocast():
            large = 255 * self.teacher(small).float()  # type: ignore[misc]
        return large[..., rows.start - top :, columns.start - left :][
            ..., : rows.stop - rows.start, : columns.stop - columns.start
        ]

    def judged(self, drawn: list[Tensor], truth: Tensor) -> dict[str, Tensor]:
        """At realism 1 too, and how much more alike its features are than the linear decoder's."""
        linear, _, natural = drawn
        theirs = self.features(truth)
        before, after = (difference(self.features(x), theirs) for x in (linear, natural))
        return super().judged(drawn, truth) | {
            "natural": gained(linear, natural, truth),
            "alike": 1 - after / before.clamp(min=torch.finfo(before.dtype).tiny),
        }


def _part(length: int, window: int) -> slice:
    """`window` of `length` pixels, from a multiple of 4, two times in three at one of its ends; all
    if it is 0 or too large.
    """
    if not 0 < window < length:
        return slice(0, length)
    last = (length - window) // 4
    start = 4 * min(max(0, int(torch.randint(-last, 2 * last + 1, ()))), last)
    return slice(start, start + window)
