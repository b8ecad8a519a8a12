"""Pictures by turns: no packet lost or doubled, and bursts spread."""

from __future__ import annotations

import numpy as np
import pytest

import tokcodec
from tokcodec import link
from tokcodec.errors import ArgumentError
from tokcodec.link import packet as packets_of


def test_packets_take_turns(stream: bytes, photograph):
    other = tokcodec.encode(photograph("coffee", 64, 48), max_bytes=150)
    loss = link.bursty(0.2).every(2)
    split = [
        link.split(stream, picture=1, packets=8, loss=loss),
        link.split(other, picture=2, packets=4, loss=loss),
    ]
    packets = link.interleave(split)
    numbers = [packets_of.read(p, "crc8").picture for p in packets]
    assert sorted(packets) == sorted(split[0] + split[1])
    assert all(numbers[i : i + 3].count(2) == 1 for i in range(0, 12, 3))
    receiver = link.Receiver()
    for packet in packets:
        receiver.add(packet)
    assert stream.startswith(receiver.data(1))
    assert other.startswith(receiver.data(2))
    assert [s.complete for s in receiver.pictures()] == [True, True]


def test_nothing_and_one(stream: bytes):
    packets = link.split(stream)
    assert link.interleave([]) == []
    assert link.interleave([packets, []]) == packets


@pytest.mark.parametrize("wrong", [None, 7, b"packet", "packet", [b"packet"], [7], [[b"p"], None]])
def test_what_is_refused(wrong):
    with pytest.raises(ArgumentError, match="list"):
        link.interleave(wrong)


def test_bursts_are_spread(stream: bytes):
    """Four pictures by turns: each gets its base far more surely than alone."""
    loss, random = link.bursty(0.4), np.random.default_rng(1)
    order = link.interleave([[bytes((i,))] * 8 for i in range(4)])
    mine = [i for i, packet in enumerate(order) if packet == b"\2"]
    alone, spread = [
        np.mean([np.count_nonzero(loss.draw(32, random)[places]) < 2 for _ in range(2000)])
        for places in (np.arange(8), mine)
    ]
    assert spread < alone / 2
