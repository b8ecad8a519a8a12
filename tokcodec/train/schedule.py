"""How long a run takes, and how fast it learns on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tokcodec.errors import ArgumentError

WARM_UP = 200  # steps over which the rate of learning rises


@dataclass(frozen=True)
class Schedule:
    """How long and how fast; the run ends with the first of `minutes` and `steps`.

    `minutes` are of training, over all resumptions. The rate falls from `rate` to `last` of it
    along a cosine (Loshchilov and Hutter, 2017).

    Attributes:
        rate: of learning, at its highest.
        last: the share of `rate` that is left at the end.
        decay: of weights, as in AdamW (Loshchilov and Hutter, 2019).
        clip: norm that gradients are scaled down to.
        average: share of the averaged weights that a step leaves as they were; 0 for none.
        save_minutes, check_minutes: between two checkpoints, and between two checks.
    """

    minutes: float | None = None
    steps: int | None = None
    rate: float = 1e-3
    last: float = 0.02
    decay: float = 0.01
    clip: float = 1.0
    average: float = 0.999
    save_minutes: float = 3.0
    check_minutes: float = 10.0

    def __post_init__(self) -> None:
        lengths = [n for n in (self.minutes, self.steps) if n is not None]
        if not lengths or not all(0 < n < math.inf for n in lengths):
            raise ArgumentError("say how long to train: minutes or steps, above 0")
        if not 0 < self.rate < math.inf or not 0 <= self.average < 1 or not self.clip > 0:
            raise ArgumentError("schedule: rate and clip are above 0, average lies in 0..1")
        rest = self.last, self.decay, self.save_minutes, self.check_minutes
        if not all(n >= 0 for n in rest) or not max(self.last, self.decay) < math.inf:
            raise ArgumentError("schedule: last, decay and minutes between are 0 or more")

    def progress(self, seconds: float, steps: int) -> float:
        """0 at the start, 1 at the end."""
        by_time = seconds / 60 / self.minutes if self.minutes else 0.0
        by_steps = steps / self.steps if self.steps else 0.0
        return min(1.0, max(by_time, by_steps))

    def rate_at(self, progress: float, steps: int) -> float:
        """The rate of learning there."""
        cosine = self.last + (1 - self.last) * 0.5 * (1 + math.cos(math.pi * progress))
        return self.rate * cosine * min(1.0, (steps + 1) / WARM_UP)
