"""Channels: probabilities against draws, and against what can be worked out by hand."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from tokcodec.errors import ArgumentError
from tokcodec.link.channel import Channel, bursty, independent

CHANNELS = pytest.mark.parametrize(
    "channel",
    [independent(0.2), bursty(0.2, 3), bursty(0.6, 3), Channel(0.1, 0.3, 0.05, 0.7)],
    ids=["independent", "bursts", "heavy", "noisy"],
)


def test_independent_losses_are_binomial():
    found = independent(0.3).received(9)
    assert found == pytest.approx([comb(9, k) * 0.7**k * 0.3 ** (9 - k) for k in range(10)])


@CHANNELS
@pytest.mark.parametrize("packets", [0, 1, 2, 20])
def test_probabilities_sum_to_one(channel: Channel, packets: int):
    for found in (channel.received(packets), channel.unbroken(packets)):
        assert found.shape == (packets + 1,)
        assert found.min() >= 0
        assert found.sum() == pytest.approx(1)
    assert channel.received(packets) @ np.arange(packets + 1) == pytest.approx(
        packets * (1 - channel.rate)
    )


@CHANNELS
def test_draws_follow_the_probabilities(channel: Channel):
    random = np.random.default_rng(1)
    drawn = np.array([channel.draw(8, random) for _ in range(3000)])
    counts = np.bincount(drawn.sum(1), minlength=9) / len(drawn)
    assert counts == pytest.approx(channel.received(8), abs=0.03)
    unbroken = np.bincount(np.cumprod(drawn, 1).sum(1), minlength=9) / len(drawn)
    assert unbroken == pytest.approx(channel.unbroken(8), abs=0.03)


def test_bursts_have_the_length_asked_for():
    lost = ~bursty(0.2, 3).draw(30000, np.random.default_rng(2))
    starts = (lost[1:] & ~lost[:-1]).sum()
    assert lost.mean() == pytest.approx(0.2, abs=0.02)
    assert lost.sum() / starts == pytest.approx(3, abs=0.2)


def test_every_other_packet_sees_shorter_bursts():
    channel = bursty(0.2, 3)
    half = channel.every(2)
    assert half.rate == pytest.approx(channel.rate)
    assert channel.to_good < half.to_good < 1 - channel.rate
    lost = ~channel.draw(40000, np.random.default_rng(3))[::2]
    assert (lost[1:] & lost[:-1]).sum() / lost.sum() == pytest.approx(1 - half.to_good, abs=0.02)


@pytest.mark.parametrize("step", [1, 2, 3, 4, 10**400])
@pytest.mark.parametrize("channel", [bursty(0.75, 3), bursty(0.5, 1), independent(0), bursty(0)])
def test_extremes_have_such_packets_too(channel: Channel, step: int):
    found = channel.every(step)
    assert found.rate == pytest.approx(channel.rate)
    assert found.received(5).sum() == pytest.approx(1)


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5, float("nan"), "much", None, 1j, True])
def test_rates_that_are_none(rate: float):
    with pytest.raises(ArgumentError, match="loss rate"):
        independent(rate)
    with pytest.raises(ArgumentError, match="loss rate"):
        bursty(rate)


def test_bursts_that_cannot_be():
    with pytest.raises(ArgumentError, match="longer than"):
        bursty(0.9, 2)
    with pytest.raises(ArgumentError, match="at least one"):
        bursty(0.1, 0.5)
    with pytest.raises(ArgumentError, match="probabilities"):
        Channel(0.1, 0)
    for burst in ("3", None, float("inf"), float("nan")):
        with pytest.raises(ArgumentError, match="at least one"):
            bursty(0.1, burst)


@pytest.mark.parametrize(
    "values", [("a", 1), (0.1, None), (0.1, 0.5, 1j), (0.1, 0.5, 0.0, [1]), (0.1, 2), (0, True)]
)
def test_what_is_no_probability(values: tuple):
    with pytest.raises(ArgumentError, match="probabilities"):
        Channel(*values)


@pytest.mark.parametrize("count", [-1, 2.5, "3", None])
def test_packets_are_counted_in_whole_numbers(count):
    channel, random = Channel(0, 1), np.random.default_rng(0)
    for asked in (channel.received, channel.unbroken, lambda n: channel.draw(n, random)):
        with pytest.raises(ArgumentError, match="whole number"):
            asked(count)
    for step in (0, count):
        with pytest.raises(ArgumentError, match="step"):
            channel.every(step)
    with pytest.raises(ArgumentError, match="random"):
        channel.draw(3, None)
