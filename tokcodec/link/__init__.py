"""Streams across a wire that loses packets: any packets that arrive show a picture.

>>> import numpy as np, tokcodec
>>> from tokcodec import link
>>> picture = np.linspace(0, 255, 64 * 64 * 3).astype(np.uint8).reshape(64, 64, 3)
>>> data = tokcodec.encode(picture, max_bytes=300)
>>> packets = link.split(data, mtu=51, packets=10, picture=7, loss=link.bursty(0.2, burst=3))
>>> len(packets), max(map(len, packets)) <= 51
(10, True)
>>> receiver = link.Receiver()
>>> for packet in packets[:2] + packets[5:]:  # in any order, some of them missing
...     state = receiver.add(packet)
>>> state.picture, state.received, data.startswith(receiver.data())
(7, 7, True)
>>> receiver.image(decoder="linear").size
(64, 64)

`Budget` decides how much of each picture of a series is sent, `interleave` spreads bursts over
several pictures. Needs `pip install 'tokcodec[link]'`.
"""

from __future__ import annotations

from tokcodec.link.channel import Channel, bursty, independent
from tokcodec.link.interleaving import interleave
from tokcodec.link.rate import Budget, Grant
from tokcodec.link.receiver import Receiver, State, Verdict
from tokcodec.link.sender import split

__all__ = [
    "Budget", "Channel", "Grant", "Receiver", "State", "Verdict", "bursty", "independent",
    "interleave", "split",
]  # fmt: skip
