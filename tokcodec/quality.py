"""A quality wanted, and a picture, to the number of tokens that it takes.

Nothing is decoded to find out. The perceptual error f of a prefix is predicted from the energy that
it leaves out: with E[s] the energy a pixel of the picture's coefficients at scale s, and L[s] the
part of it that the prefix leaves out,

    f = sum over s of weight[s] * sqrt(L[s] / (E[s] + masking))

An error is seen less where there is much detail (visual masking): hence the quotient. `masking` is
the energy below which that ends.
The weights were fitted on photographs (benchmarks/fit_quality.py) to DISTS (Ding et al., 2020) and
SSIMULACRA2 of the default neural decoder's pictures.

A picture has enough tokens when

    f <= wanted * (b / u) ** lenience

where b is its bytes so far divided by the square root of its pixels, and u what b is in photographs
on average when f comes down to `wanted`. So a picture that takes more bytes than most may stop at a
larger error, by as much as the lenience says:

- 0: all pictures stop at the same f.
- `EVEN`, for a quality: nearly so. f is only a prediction, and where it asks for unusually many
  bytes it is as a rule too high.
- `THRIFTY` = 1, for "auto": all stop at the same f / b. If doubling the bytes always took the same
  share off an error, f / b would be what the next byte takes off (but for a factor): equal for all
  pictures, it gives the least error for the bytes of all together.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from tokcodec import weights
from tokcodec.arguments import is_number
from tokcodec.coder.codestring import Script
from tokcodec.distortion import Curve
from tokcodec.errors import ArgumentError, DamagedModelError
from tokcodec.model import TOTAL
from tokcodec.tokens.layout import Band
from tokcodec.tokens.quantiser import Source
from tokcodec.tokens.tokens import DIGITS

AUTO = "auto"  # as a budget
AUTO_QUALITY = 60.0  # what it stands for, in pictures that take as many bytes as most
EVEN, THRIFTY = 1 / 12, 1.0  # lenience of a quality, and of "auto"
WORST = 0.5  # error of quality 0; quality 100 leaves none
PLAIN = 0.5  # weight of all scales taken together: f is never below that, see `Gauge`
SCALES = 7  # of luma: detail of 2, 4, ... 64 pixels, and all that is coarser
GROUPS = SCALES + 1  # chroma is one group
SHIPPED = weights.path("quality.json")


@dataclass(frozen=True)
class Sight:
    """The numbers that the error is predicted with.

    Attributes:
        weights: one for each group of bands, luma from fine to coarse, then chroma; none is
            negative, so that the error never rises when less is left out.
        masking: energy a pixel, in 8-bit RGB units squared.
        usual: a straight line for log u, the u of the module's docstring, over the error wanted:
            (value at no error, slope). The slope is not positive.
    """

    weights: tuple[float, ...]
    masking: float
    usual: tuple[float, float] = (0.0, 0.0)


class Aim(NamedTuple):
    """An error to reach, and the lenience for pictures that take many bytes to reach it."""

    error: float
    lenience: float


@cache
def shipped() -> Sight:
    """The numbers that come with tokcodec."""
    try:
        found = json.loads(SHIPPED.read_text("utf-8"))
        start, slope = map(float, found["usual"])
        sight = Sight(tuple(map(float, found["weights"])), float(found["masking"]), (start, slope))
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise DamagedModelError(f"{SHIPPED} holds no weights of quality: {e}") from e
    if len(sight.weights) != GROUPS or min(sight.weights) < 0 or not sight.masking > 0 or slope > 0:
        raise DamagedModelError(f"{SHIPPED} holds no weights of quality")
    return sight


def check(budget: int | str | None, quality: float | None) -> tuple[int | None, tuple[Aim, ...]]:
    """Budget and quality as given to `encode` to a number of tokens, if there is one, and aims.

    Raises:
        ArgumentError: `quality` is no number in 0..100, `budget` a word that is not "auto".
    """
    aims: tuple[Aim, ...] = ()
    if quality is not None:
        if not is_number(quality) or not 0 <= quality <= 100:
            raise ArgumentError(f"quality lies in 0..100, not {quality!r:.40}")
        aims = (Aim(error_of(float(quality)), EVEN),)
    if not isinstance(budget, str):
        return budget, aims
    if budget != AUTO:
        raise ArgumentError(f"budget is a number of tokens or {AUTO!r}, not {budget!r:.40}")
    return None, (*aims, Aim(error_of(AUTO_QUALITY), THRIFTY))


def error_of(quality: float) -> float:
    """The error that a quality asks for: 0.5 at 0, in equal steps down to nothing at 100."""
    return WORST * (1 - quality / 100)


def group(band: Band) -> int:
    """Which of the groups of `Sight.weights` a band belongs to."""
    if band.channel:
        return SCALES
    return min(SCALES, (band.area + 1) // 2) - 1 if band.level else SCALES - 1


class Gauge:
    """The predicted error of each prefix of a picture. It goes through the passes once: `after`,
    `spent`, `enough` and `advance` move it past the pass that they are asked about.

    Where a picture is nearly flat, most scales are empty and the sum says little. There nothing
    hides an error, of colour either: so f is at least PLAIN * sqrt(L / (E + masking)) of all bands,
    with the coarsest left out of E, whose mean hides nothing. Photographs stay above that.
    """

    def __init__(self, script: Script, source: Source, sight: Sight) -> None:
        self.curve, self.sight, self.order = Curve(script, source), sight, script.order
        self.pixels = self.order.height * self.order.width
        self.left = np.zeros(GROUPS)  # energy a pixel
        detail = sight.masking
        for band, values in zip(self.order.bands, source.coefficients, strict=True):
            energy = np.square(values, dtype=np.float64).sum() * 2.0**band.area / self.pixels
            self.left[group(band)] += energy
            detail += energy if band.level else 0.0
        self.seen, self.detail = self.left + sight.masking, detail
        self.bytes = 0.0  # of the code string so far

    @property
    def shares(self) -> np.ndarray:
        """(GROUPS,) what the passes asked for leave out of each group, as an amplitude: about 1 is
        all, 0 is nothing.
        """
        return np.sqrt(self.left / self.seen)

    @property
    def error(self) -> float:
        """The error after the passes that were asked for."""
        missed = self.shares @ np.asarray(self.sight.weights)
        return float(np.maximum(missed, self._plain(self.left.sum())))

    def after(self, number: int) -> np.ndarray:
        """The error after each digit of a pass, float64; passes must be asked for in order."""
        here, weight = self.group_of(number), np.asarray(self.sight.weights)
        before = self.left
        left = self.advance(number)
        others = np.arange(GROUPS) != here
        missed = np.sqrt(before / self.seen)[others] @ weight[others]
        missed = missed + weight[here] * np.sqrt(left / self.seen[here])
        return np.maximum(missed, self._plain(before[others].sum() + left))

    def spent(self, number: int) -> np.ndarray:
        """Bytes of the code string after each digit of a pass, float64; passes must be asked for in
        order.
        """
        digits, rows, odds, _ = self.curve.script.line(number)
        chances = odds.frequencies[rows, digits.astype(np.intp) + 1] / TOTAL
        found = self.bytes - np.cumsum(np.log2(chances)) / 8
        self.bytes = float(found[-1])
        return found

    def enough(self, number: int, aims: Sequence[Aim]) -> np.ndarray:
        """Whether one of the aims is reached after each digit of a pass. No error at all is left by
        the last digit alone.
        """
        errors, spent = self.after(number), self.spent(number)
        start, slope = self.sight.usual
        found = np.zeros(len(errors), bool)
        for error, lenience in aims:
            if error <= 0:
                continue
            usual = np.exp(start + slope * error) * self.pixels**0.5
            found |= errors <= error * (spent / usual) ** lenience
        return found

    def advance(self, number: int) -> np.ndarray:
        """Go through a pass: the energy that its group still misses after each digit."""
        here = self.group_of(number)
        left = np.maximum(self.left[here] - self.curve.removed(number) / self.pixels, 0.0)
        self.left = self.left.copy()
        self.left[here] = left[-1]
        return left

    def group_of(self, number: int) -> int:
        """The group whose bands pass `number` refines."""
        return group(self.order.bands[self.order.passes[number].band])

    def _plain(self, left: np.ndarray) -> np.ndarray:
        return PLAIN * np.sqrt(left / self.detail)


def tokens_for(script: Script, source: Source, aims: Sequence[Aim]) -> int | None:
    """The fewest tokens after which one of the aims is reached; None: all of them."""
    if all(aim.error <= 0 for aim in aims):
        return None  # no prefix is without error
    gauge, at = Gauge(script, source, shipped()), 0
    if any(gauge.error <= 0 < aim.error for aim in aims):
        return 0
    for number, step in enumerate(script.order.passes):
        enough = gauge.enough(number, aims)
        if enough.any():
            return -(-(at + int(np.argmax(enough)) + 1) // DIGITS)
        at += step.digits
    return None
