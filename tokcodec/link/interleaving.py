"""Packets of several pictures by turns: a burst takes a few of each, not many of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokcodec.errors import ArgumentError


def interleave(pictures: Iterable[Sequence[bytes]]) -> list[bytes]:
    """Packets of several pictures by turns: each picture's in their order, spread evenly.

    Of d pictures in as many packets each, every d-th packet is of one of them: give `split` the
    loss that those meet, `loss.every(d)`. The first picture is complete no sooner than the last.

    Args:
        pictures: what `split` made of each, with numbers of their own.

    Raises:
        ArgumentError: it is no list of lists of packets.
    """
    if isinstance(pictures, (bytes, str)) or not isinstance(pictures, Iterable):
        raise ArgumentError(f"pictures are a list of lists of packets, not {pictures!r:.40}")
    pictures = list(pictures)
    for packets in pictures:
        if isinstance(packets, (bytes, str)) or not isinstance(packets, Sequence):
            raise ArgumentError(f"a picture is a list of packets, not {packets!r:.40}")
    placed = [
        ((place + 0.5) / len(packets), number, packet)
        for number, packets in enumerate(pictures)
        for place, packet in enumerate(packets)
    ]
    return [packet for _, _, packet in sorted(placed, key=lambda p: p[:2])]
