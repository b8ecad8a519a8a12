"""Budgets: the mean rate holds, hard pictures get more, and a dead link costs little."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

import tokcodec
from tokcodec import link
from tokcodec.errors import (
    ArgumentError,
    ImageTooLargeError,
    ReferenceMismatchError,
    StreamError,
)
from tokcodec.link import rate
from tokcodec.link.rate import Budget


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def errors_once(monkeypatch):
    """The same pictures come again and again."""
    monkeypatch.setattr(rate, "errors", ERRORS)


ERRORS = cache(rate.errors)


@pytest.fixture(scope="module")
def streams(photograph) -> dict[str, bytes]:
    """An easy and a hard picture, each longer than any budget here."""
    return {
        name: tokcodec.encode(photograph(name, 64, 48), max_bytes=900)
        for name in ("rocket", "motorcycle_left")
    }


def run(budget: Budget, clock: Clock, streams: dict[str, bytes], pictures: int, interval: float):
    """(name, frames) of what is sent, and pictures dropped."""
    sent, dropped = [], 0
    names = {data: name for name, data in streams.items()}
    for i in range(pictures):
        dropped += budget.put(list(streams.values())[i % len(streams)])
        end = clock.now + interval
        while clock.now < end:
            grant = budget.get()
            if grant is not None:
                sent.append((names[grant.data], grant.packets))
            clock.now += interval / 4
    return sent, dropped


def test_the_mean_rate_holds_and_hard_pictures_get_more(streams):
    clock = Clock()
    budget = Budget(510, 0.01, frame=51, window=300, clock=clock)  # a frame in 10 s
    sent, dropped = run(budget, clock, streams, 120, 60.0)  # six frames a picture
    assert dropped == 0
    assert len(sent) + len(budget) == 120
    total = sum(frames for _, frames in sent)
    assert total <= 30 + 0.1 * clock.now
    late = sent[20:]
    assert np.mean([frames for _, frames in late]) == pytest.approx(6, rel=0.1)
    hard = np.mean([frames for name, frames in late if name == "motorcycle_left"])
    easy = np.mean([frames for name, frames in late if name == "rocket"])
    assert hard > 1.3 * easy


def test_a_dead_link(streams):
    clock = Clock()
    budget = Budget(510, 0.01, frame=51, window=200, max_waiting=3, clock=clock)
    data = next(iter(streams.values()))
    dropped = []
    for _ in range(10):
        dropped.append(budget.put(data))
        clock.now += 1000
    assert dropped == [0] * 3 + [1] * 7
    assert len(budget) == 3
    assert budget.credit == pytest.approx(20)  # no more than the window's
    frames = []
    while (grant := budget.get()) is not None:
        frames.append(grant.packets)
    assert 1 <= sum(frames) <= 20
    budget.refund(frames[-1])
    assert budget.credit == pytest.approx(20 - sum(frames[:-1]))


@pytest.mark.parametrize("drop", ["oldest", "newest"])
def test_which_is_dropped(streams, drop: str):
    easy, hard = streams.values()
    budget = Budget(5000, 1, drop=drop, max_waiting=1, clock=Clock())
    assert budget.get() is None
    assert budget.put(easy) == 0
    assert budget.put(hard) == 1
    assert budget.get().data == (hard if drop == "oldest" else easy)


def test_pictures_with_a_reference(stream: bytes, change: bytes):
    budget = Budget(510, 1.0)
    assert budget.put(change, reference=stream) == 0
    grant = budget.get()
    assert grant is not None
    assert len(link.split(grant.data, packets=grant.packets, reference=stream)) <= grant.packets
    with pytest.raises(ReferenceMismatchError, match="missing"):
        budget.put(change)


def test_what_cannot_be_put_leaves_no_trace(streams):
    """Frames of a picture depend on how often pictures come: those refused do not count."""
    data = next(iter(streams.values()))
    granted = []
    for refused in (False, True):
        clock = Clock()
        budget = Budget(510, 0.01, window=300, clock=clock)
        for _ in range(6):
            clock.now += 30
            if refused:
                for wrong, error in ((b"GIF89a", StreamError), (None, ArgumentError)):
                    with pytest.raises(error):
                        budget.put(wrong)
            clock.now += 30
            budget.put(data)
        granted.append([grant.packets for grant in iter(budget.get, None)])
    assert granted[0]
    assert granted[0] == granted[1]


def test_buffers_are_streams(streams):
    data = next(iter(streams.values()))
    for buffer in (memoryview(data), bytearray(data)):
        budget = Budget(5000, 1, clock=Clock())
        budget.put(buffer)
        assert budget.get().data == data


def test_pictures_of_max_pixels(streams):
    data = next(iter(streams.values()))
    budget = Budget(5000, 1, clock=Clock())
    with pytest.raises(ImageTooLargeError, match="64 x 48"):
        budget.put(data, max_pixels=100)
    assert budget.put(data, max_pixels=None) == len(budget) - 1 == 0


def test_grants_are_for_split(streams):
    budget = Budget(5000, 0.1, clock=Clock())
    budget.put(next(iter(streams.values())))
    grant = budget.get()
    packets = link.split(grant.data, packets=grant.packets)
    assert len(packets) <= grant.packets


@pytest.mark.parametrize(
    "options",
    [
        {"bytes_per_second": 0}, {"duty_cycle": 0}, {"duty_cycle": 2}, {"frame": 5},
        {"overhead": -1}, {"protected": 1}, {"window": 0}, {"window": 1}, {"max_waiting": 0},
        {"drop": "all"}, {"drop": []}, {"bytes_per_second": "35"}, {"bytes_per_second": None},
        {"bytes_per_second": float("inf")}, {"bytes_per_second": float("nan")},
        {"bytes_per_second": 1e300, "duty_cycle": 1.0, "window": 1e300},
        {"duty_cycle": "1"}, {"window": float("inf")}, {"window": 1j}, {"frame": 51.0},
        {"frame": "51"}, {"overhead": None}, {"max_waiting": 2.5}, {"protected": "0"},
    ],
)  # fmt: skip
def test_what_is_refused(options: dict):
    with pytest.raises(ArgumentError):
        Budget(**{"bytes_per_second": 100, **options})


@pytest.mark.parametrize("frames", [-1, 2.5, "3", None, float("nan")])
def test_refunds_that_are_none(frames):
    with pytest.raises(ArgumentError, match="frames"):
        Budget(100).refund(frames)
