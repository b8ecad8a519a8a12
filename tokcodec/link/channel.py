"""Links that lose packets: how many arrive, with what probability, and draws of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import inf

import numpy as np

from tokcodec.arguments import is_number, is_whole
from tokcodec.errors import ArgumentError

ALL_BUT = 1e-9  # probability of leaving a state that is never left
FOREVER = 10**18  # packets after which no state is remembered


@dataclass(frozen=True)
class Channel:
    """A link with a good and a bad state (Gilbert 1960, Elliott 1963), one step a packet.

    `independent` and `bursty` make the usual ones. A chain starts in its stationary state.

    Attributes:
        to_bad: probability that a bad state follows a good one.
        to_good: probability that a good state follows a bad one; above 0.
        loss_good, loss_bad: probability that a packet is lost in each state.

    Raises:
        ArgumentError: these are no probabilities, or `to_good` is 0.
    """

    to_bad: float
    to_good: float
    loss_good: float = 0.0
    loss_bad: float = 1.0

    def __post_init__(self) -> None:
        values = (self.to_bad, self.to_good, self.loss_good, self.loss_bad)
        if not all(is_number(v) and 0 <= v <= 1 for v in values) or self.to_good == 0:
            raise ArgumentError(
                f"probabilities of a channel lie in 0..1, to_good above 0; not {values}"
            )

    @property
    def bad(self) -> float:
        """Share of packets that meet the bad state."""
        return self.to_bad / (self.to_bad + self.to_good)

    @property
    def rate(self) -> float:
        """Share of packets that are lost."""
        return self.bad * self.loss_bad + (1 - self.bad) * self.loss_good

    def every(self, step: int) -> Channel:
        """The channel that every `step`-th packet sees: its states follow one another less.

        Raises:
            ArgumentError: `step` is no whole number from 1.
        """
        if not is_whole(step) or step < 1:
            raise ArgumentError(f"a step is a whole number of packets from 1, not {step!r:.40}")
        # Of a link that alternates, every second packet meets one state: all but for good.
        kept = min((1 - self.to_bad - self.to_good) ** min(step, FOREVER), 1 - ALL_BUT)
        to_bad, to_good = self.bad * (1 - kept), (1 - self.bad) * (1 - kept)
        # Rounding must not lift them above 1.
        return Channel(min(to_bad, 1.0), min(to_good, 1.0), self.loss_good, self.loss_bad)

    def received(self, packets: int) -> np.ndarray:
        """Probabilities, float64 (packets + 1,), that 0, 1, ... of so many packets arrive.

        Raises:
            ArgumentError: `packets` is no whole number from 0.
        """
        _check_packets(packets)
        return _received(self, packets)

    def unbroken(self, packets: int) -> np.ndarray:
        """Probabilities, float64 (packets + 1,), that exactly the first 0, 1, ... of so many
        packets arrive before one is lost.

        Raises:
            ArgumentError: `packets` is no whole number from 0.
        """
        _check_packets(packets)
        arrive = np.array([1 - self.loss_good, 1 - self.loss_bad])
        state, all_so_far = np.array([1 - self.bad, self.bad]), [1.0]
        for _ in range(packets):
            state = state * arrive
            all_so_far.append(float(state.sum()))
            state = self._step(state)
        return -np.diff([*all_so_far, 0.0])

    def draw(self, packets: int, random: np.random.Generator) -> np.ndarray:
        """Which of so many packets arrive in one trial: bool (packets,).

        Raises:
            ArgumentError: `packets` is no whole number from 0, or `random` no generator of numpy's.
        """
        _check_packets(packets)
        if not isinstance(random, np.random.Generator):
            raise ArgumentError(f"random is a numpy.random.Generator, not {random!r:.40}")
        chances = random.random((packets + 1, 2))
        bad = bool(chances[packets, 0] < self.bad)
        arrived = np.zeros(packets, bool)
        for i, (change, loss) in enumerate(chances[:packets]):
            arrived[i] = loss >= (self.loss_bad if bad else self.loss_good)
            bad = bool(change >= self.to_good) if bad else bool(change < self.to_bad)
        return arrived

    def _step(self, state: np.ndarray) -> np.ndarray:
        """Weights (2, ...) of good and bad state, one packet later."""
        good, bad = state
        return np.stack(
            [
                good * (1 - self.to_bad) + bad * self.to_good,
                good * self.to_bad + bad * (1 - self.to_good),
            ]
        )


def independent(rate: float) -> Channel:
    """Every packet is lost with the same probability `rate`, 0 up to but not including 1.

    Raises:
        ArgumentError: `rate` is something else.
    """
    _check_rate(rate)
    return Channel(rate, 1 - rate)


def bursty(rate: float, burst: float = 3.0) -> Channel:
    """Losses in runs of `burst` packets on average, `rate` of all packets.

    Raises:
        ArgumentError: `rate` is not in 0..1, below 1; `burst` is no number from 1; or runs that
            short cannot lose so many: `rate` is above burst / (burst + 1).
    """
    _check_rate(rate)
    if not is_number(burst) or not 1 <= burst < inf:
        raise ArgumentError(f"a burst has at least one packet, not {burst!r:.40}")
    to_bad = rate / (burst * (1 - rate))
    if to_bad > 1:
        raise ArgumentError(f"a loss of {rate:g} needs bursts longer than {burst:g} packets")
    return Channel(to_bad, 1 / burst)


def _check_rate(rate: float) -> None:
    if not is_number(rate) or not 0 <= rate < 1:
        raise ArgumentError(f"a loss rate lies in 0..1, below 1; not {rate!r:.40}")


def _check_packets(packets: int) -> None:
    if not is_whole(packets) or packets < 0:
        raise ArgumentError(f"packets are a whole number from 0, not {packets!r:.40}")


@lru_cache(maxsize=256)
def _received(channel: Channel, packets: int) -> np.ndarray:
    weights = np.zeros((2, packets + 1))  # of state, by packets arrived so far
    weights[:, 0] = 1 - channel.bad, channel.bad
    loss = np.array([[channel.loss_good], [channel.loss_bad]])
    for _ in range(packets):
        lost, arrived = weights * loss, weights * (1 - loss)
        lost[:, 1:] += arrived[:, :-1]
        weights = channel._step(lost)
    found = weights.sum(0)
    found.setflags(write=False)  # it is shared by all who ask
    return found
