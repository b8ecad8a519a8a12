"""Packets of several pictures by turns: a burst takes a few of each, not many of one."""

from __future__ import annotations

from collections.abc import Sequence


def interleave(pictures: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Packets of several pictures by turns: each picture's in their order, spread evenly.

    Of d pictures in as many packets each, every d-th packet is of one of them: give `split` the
    loss that those meet, `loss.every(d)`. The first picture is complete no sooner than the last.

    Args:
        pictures: what `split` made of each, with numbers of their own.
    """
    placed = [
        ((place + 0.5) / len(packets), number, packet)
        for number, packets in enumerate(pictures)
        for place, packet in enumerate(packets)
    ]
    return [packet for _, _, packet in sorted(placed, key=lambda p: p[:2])]
