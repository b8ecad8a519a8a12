"""A picture as JPEG with restart markers in packets, each of which shows its own blocks.

As over RTP (RFC 2435): packets hold whole restart intervals, and neither headers nor tables travel,
as both ends know the size, the quality and the standard Huffman tables. What a packet says of its
place is not counted either.
"""

from __future__ import annotations

import io
import re
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.codecs.scaled import FINE_SCALES, shrink
from tokcodec.psnr import psnr

INTERVALS = (1, 2, 3, 4, 6, 8)  # blocks between markers
QUALITIES = range(1, 96)
BLOCK = 16  # pixels a side: 4:2:0
MARKER = 2  # bytes
_MARKERS = re.compile(rb"\xff[\xd0-\xd7]")


class Packed(NamedTuple):
    """A picture in packets.

    Attributes:
        pixels: decoded, all packets there, at its own scale: uint8 (height, width, 3).
        packet: number of the packet that each pixel is in: int64 (height, width).
        packets: how many there are.
    """

    pixels: np.ndarray
    packet: np.ndarray
    packets: int

    def shown(self, arrived: np.ndarray, size: tuple[int, int]) -> np.ndarray | None:
        """The picture at `size` when bool (packets,) of the packets arrive: lost blocks have the
        mean colour of the others. None without any.
        """
        here = arrived[self.packet]
        if not here.any():
            return None
        pixels = self.pixels.copy()
        pixels[~here] = np.rint(pixels[here].mean(0))
        return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def pack(image: Image.Image, count: int, room: int) -> Packed | None:
    """The best picture, by PSNR without loss, that goes into `count` packets of `room` bytes; None
    if none does.

    Of a scale and interval, the highest quality that fits is taken.
    """
    original, best, most = np.asarray(image), None, -np.inf
    for scale in FINE_SCALES:
        small = shrink(image, scale)
        for interval in INTERVALS:
            fits = _highest(small, interval, count, room)
            if fits is None:
                continue
            pixels = np.asarray(Image.open(io.BytesIO(fits[0])).convert("RGB"))
            packed = Packed(pixels, _places(pixels.shape[:2], interval, fits[1]), fits[1][-1] + 1)
            shown = packed.shown(np.ones(packed.packets, bool), image.size)
            score = psnr(original, shown) if shown is not None else -np.inf
            if score > most:
                best, most = packed, score
    return best


def _highest(
    small: Image.Image, interval: int, count: int, room: int
) -> tuple[bytes, list[int]] | None:
    """The file of the highest quality that fits, and the packet of each of its intervals."""
    low, high, found = 0, len(QUALITIES), None
    while low < high:
        middle = (low + high) // 2
        out = io.BytesIO()
        small.save(
            out,
            "JPEG",
            quality=QUALITIES[middle],
            subsampling="4:2:0",
            restart_marker_blocks=interval,
        )
        places = _packets(_intervals(out.getvalue()), room)
        if places is not None and places[-1] < count:
            low, found = middle + 1, (out.getvalue(), places)
        else:
            high = middle
    return found


def _intervals(data: bytes) -> list[int]:
    """Bytes of each restart interval, with its marker."""
    at = data.index(b"\xff\xda")
    scan = data[at + 2 + int.from_bytes(data[at + 2 : at + 4], "big") : -2]
    return [len(part) + MARKER for part in _MARKERS.split(scan)]


def _packets(sizes: list[int], room: int) -> list[int] | None:
    """The packet that each interval goes into, in order; None if one is too long."""
    places, number, free = [], 0, room
    for size in sizes:
        if size > room:
            return None
        if size > free:
            number, free = number + 1, room
        free -= size
        places.append(number)
    return places


def _places(shape: tuple[int, ...], interval: int, packets: list[int]) -> np.ndarray:
    """The packet of each pixel."""
    height, width = shape
    across = -(-width // BLOCK)
    y, x = np.mgrid[:height, :width] // BLOCK
    return np.asarray(packets)[(y * across + x) // interval]
