"""JPEG by libjpeg-turbo in Pillow, baseline or progressive, with optimised tables and without the
segments that no decoder needs.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from benchmarks.codecs import Settings
from benchmarks.codecs.pillow import made_by, opened, saved
from benchmarks.codecs.scaled import FINE_SCALES, Scaled

SOS, DQT, DHT, COM = 0xDA, 0xDB, 0xC4, 0xFE
FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
APPLICATION = range(0xE0, 0xF0)


class Jpeg(Scaled):
    """The smaller of baseline and progressive, with chroma at half or at full size."""

    name = "jpeg"
    scales = FINE_SCALES
    above, below = 2, 0

    def __init__(self) -> None:
        self.version = made_by("JPEG")

    def variants(self) -> list[tuple[Settings, Sequence[int | float]]]:
        # Pillow takes quality 0 for its default
        return [({"subsampling": s}, range(1, 101)) for s in ("4:2:0", "4:4:4")]

    def compress(self, image: Image.Image, settings: Settings) -> bytes:
        options = {"quality": settings["quality"], "subsampling": settings["subsampling"]}
        files = [
            slim(saved(image, "JPEG", optimize=True, progressive=p, **options))
            for p in (False, True)
        ]
        return min(files, key=len)

    def expand(self, data: bytes) -> Image.Image:
        return opened(data, "JPEG")


def slim(data: bytes) -> bytes:
    """The same picture without comments and application segments, each kind of table in one
    segment, and a quantisation table that is there twice written once.

    Without a JFIF segment three components numbered 1, 2, 3 are Y, Cb, Cr to libjpeg and its kin.
    """
    tables: dict[int, bytearray] = {}  # by kind, waiting for the next frame or scan
    same: dict[int, int] = {}  # number of a quantisation table: number of the first like it
    first: dict[bytes, int] = {}
    out, at = bytearray(data[:2]), 2
    while data[at + 1] != SOS:
        kind, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        body = bytearray(data[at + 4 : end])
        if kind == DQT:
            for number, table in _quantisers(body):
                same[number] = first.setdefault(table[1:], number)
                if same[number] == number:
                    tables.setdefault(DQT, bytearray()).extend(table)
        elif kind == DHT:
            tables.setdefault(DHT, bytearray()).extend(body)
        elif kind != COM and kind not in APPLICATION:
            if kind in FRAMES:
                for component in range(8, len(body), 3):
                    body[component] = same[body[component]]
            out += _flush(tables) + _segment(kind, body)
        at = end
    return bytes(out + _flush(tables)) + _scans(data[at:])


def _scans(data: bytes) -> bytes:
    """Everything from the first scan on; the tables between scans, of progressive files, joined."""
    out, at = bytearray(), 0
    tables: dict[int, bytearray] = {}
    while at < len(data):
        kind = data[at + 1]
        if kind == DHT:
            end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
            tables.setdefault(DHT, bytearray()).extend(data[at + 4 : end])
        else:
            end = _next(data, at + 2)
            out += _flush(tables) + data[at:end]
        at = end
    return bytes(out)


def _next(data: bytes, at: int) -> int:
    """Where the next marker is: FF and no stuffing (00) or restart (D0 to D7) after it."""
    while at < len(data):
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] != 0 and not 0xD0 <= data[at + 1] <= 0xD7:
            return at
        at += 2
    return len(data)


def _quantisers(body: bytearray) -> list[tuple[int, bytes]]:
    """The tables of a DQT segment: number, and the table with its leading byte."""
    found, at = [], 0
    while at < len(body):
        end = at + 1 + 64 * (1 + (body[at] >> 4))
        found.append((body[at] & 15, bytes(body[at:end])))
        at = end
    return found


def _flush(tables: dict[int, bytearray]) -> bytes:
    found = b"".join(_segment(kind, body) for kind, body in tables.items())
    tables.clear()
    return found


def _segment(kind: int, body: bytes | bytearray) -> bytes:
    return bytes((0xFF, kind)) + (len(body) + 2).to_bytes(2, "big") + bytes(body)


def make() -> Jpeg:
    return Jpeg()
