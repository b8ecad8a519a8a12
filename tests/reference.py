"""From stream bytes to tokens, written from docs/FORMAT.md alone.

A second, independent decoder: plain Python integers, its own range decoder, its own reader of the
model file, nothing of tokcodec and nothing of constriction. It is slow and meant to be read beside
the document, whose names and order it keeps; the tests hold the library against it.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

TYPES = {"I16": ("int16", "h"), "I32": ("int32", "i"), "U32": ("uint32", "I")}
MASK = 2**64 - 1


def clip(number: int, low: int, high: int) -> int:
    return max(low, min(high, number))


@lru_cache(maxsize=4)
def read_model(path: Path) -> tuple[dict[str, Any], bytes]:
    """Model file: the arrays as nested lists, and the SHA-256."""
    data = path.read_bytes()
    start = 8 + struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:start])
    meaning = json.loads(header.pop("__metadata__")["meaning"])
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    sha, model = hashlib.sha256(text.encode()), {}
    for name in sorted(header):
        first, last = header[name]["data_offsets"]
        raw, shape = data[start + first : start + last], tuple(header[name]["shape"])
        kind, code = TYPES[header[name]["dtype"]]
        sha.update(f"{name}:{kind}:{shape}".encode("ascii") + raw)
        model[name] = [number for (number,) in struct.iter_unpack(f"<{code}", raw)]
        for size in reversed(shape[1:]):
            model[name] = [model[name][i : i + size] for i in range(0, len(model[name]), size)]
    return model, sha.digest()


def crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc << 1 ^ (0x107 if crc & 0x80 else 0)
    return crc


def read_header(data: bytes, sha256: bytes) -> tuple[int, int, bool, int]:
    """Stream: height, width, grey, and where the code string begins."""
    at = 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        if at > len(data):
            raise ValueError("the header is cut")
        return int.from_bytes(data[at - count : at], "big")

    magic, flags, code = take(2), take(1), take(1)
    if magic != 0xB754 or flags >> 5 != 1 or flags & 3:
        raise ValueError("wrong magic, unknown version, or a reserved bit is set")
    if code not in (1, 255) or (code == 255 and take(4) != int.from_bytes(sha256[:4], "big")):
        raise ValueError("made with another model")
    side = 16 if flags & 16 else 12
    width, height = divmod(take(2 * side // 8), 1 << side)
    if flags & 4:
        end = take(1) + at
        while at < end:
            kind, length = take(1), take(1)
            take(length)
            if at > end or kind & 0x80:
                raise ValueError("a broken extension, or a critical one")
    if crc8(data[:at] + sha256) != take(1):
        raise ValueError("wrong CRC: a broken header, or another model")
    return height + 1, width + 1, bool(flags & 8), at


@dataclass
class Band:
    channel: int
    level: int
    orientation: int
    height: int
    width: int
    area: int
    halved: tuple[int, int]  # rows, columns: by the split that made the band
    parent: Band | None
    luma: Band | None  # None in luma itself
    plane: int = -1  # the last plane begun

    def __post_init__(self) -> None:
        self.slot = 3 * (min(self.level, 8) - 1) + self.orientation if self.level else 0
        self.q = [0] * ((self.height + 2) * (self.width + 2))  # with a border of zeros


def make_bands(height: int, width: int, grey: bool) -> list[Band]:
    """Bands: all of them, luma first and each channel coarsest first."""
    splits, area = [], 0  # finest first
    while height > 4 or width > 4:
        halved, high = (height > 4, width > 4), (height // 2, width // 2)
        height, width = height - halved[0] * high[0], width - halved[1] * high[1]
        area += sum(halved)
        splits.append((halved, ((height, width), high), area))
    bands: dict[tuple[int, int, int], Band] = {}
    for c in range(1 if grey else 3):
        bands[c, 0, 0] = Band(c, 0, 0, height, width, area, (0, 0), None, bands.get((0, 0, 0)))
        for level, (halved, sides, here) in enumerate(reversed(splits), 1):
            for o in (1, 2, 3):
                if (halved[1] or not o & 1) and (halved[0] or not o & 2):
                    h, w = sides[o >> 1][0], sides[o & 1][1]
                    relatives = bands.get((c, level - 1, o)), bands.get((0, level, o))
                    bands[c, level, o] = Band(c, level, o, h, w, here, halved, *relatives)
    return list(bands.values())


@lru_cache(maxsize=256)
def cells(height: int, width: int, parity: int) -> list[tuple[int, int]]:
    """The cells of a pass, in the order of their visit."""
    found = []
    for y in range(height):
        for x in range((y + parity) % 2, width, 2):
            rank = sum((2 * ((x ^ y) >> b & 1) + (y >> b & 1)) * 4 ** (2 - b) for b in (0, 1, 2))
            found.append((rank, y, x))
    return [(y, x) for _, y, x in sorted(found)]


def units(model: dict[str, Any], bands: list[Band]) -> list[tuple[Band, int]]:
    """Order: all planes of all bands."""
    found = []
    for band in bands:
        scores, top = model["scores"][band.channel][band.slot], model["tops"][band.channel]
        shift = model["drift"][0] * max(0, band.level - 8) + 256 * band.area
        score, p = scores[0] + shift, 0
        while p == 0 or 4 * top**2 * 2**band.area > 9 ** (p + 1):
            score = min(score, scores[min(p, 7)] + shift - 812 * max(0, p - 7))
            found.append(((-score, p, band.level, band.channel, band.orientation), band))
            p += 1
    return [(band, key[1]) for key, band in sorted(found, key=lambda pair: pair[0])]


def seen_from(plane: int, band: Band) -> list[int]:
    """The values of all cells of another band, in quarter steps of `plane`."""
    if (k := plane - band.plane) >= 0:
        factor = 4 * 3 ** min(k, 4)
        return [clip(clip(q, -24, 24) * factor, -24, 24) for q in band.q]
    u = 3 ** min(-k, 16)
    sizes = [min(24, (4 * min(abs(q), 6 * u + 1) + u // 2) // u) for q in band.q]
    return [-v if q < 0 else v for q, v in zip(band.q, sizes, strict=True)]


def around(f: list[int], at: int, stride: int) -> tuple[int, int, int]:
    """Sums across, down and over the corners of a cell."""
    above, below = f[at - stride - 1 : at - stride + 2], f[at + stride - 1 : at + stride + 2]
    return f[at - 1] + f[at + 1], above[1] + below[1], above[0] + above[2] + below[0] + below[2]


def contexts(model: dict[str, Any], band: Band, parity: int) -> Iterator[tuple[int, int, int]]:
    """For each cell of a pass: where it is in `band.q`, f(-1) and f(0)."""
    names = "magnitude_weights", "magnitude_edges", "sign_weights", "sign_edges", "frequencies"
    tables = (model[name][band.channel][band.slot][min(band.plane, 7)][parity] for name in names)
    m, magnitude_edges, s, sign_edges, rows = tables
    a, g = [min(abs(q), 6) for q in band.q], [clip(q, -6, 6) for q in band.q]
    parent, luma = (b if b and b.plane >= 0 else None for b in (band.parent, band.luma))
    parent_v = [abs(v) for v in seen_from(band.plane, parent)] if parent else []
    luma_v = seen_from(band.plane, luma) if luma else []
    stride = band.width + 2
    for y, x in cells(band.height, band.width, parity):
        at = (y + 1) * stride + x + 1
        if q := band.q[at]:
            row, mirrored = 48 + (0 if abs(q) == 3 else 1 if abs(q) <= 12 else 2), q < 0
        else:
            big_e = sum(w * n for w, n in zip(m, around(a, at, stride), strict=False))
            big_l = sum(w * n for w, n in zip(s, around(g, at, stride), strict=False))
            if parent:
                py = min(y >> parent.halved[0], parent.height - 1)
                px = min(x >> parent.halved[1], parent.width - 1)
                there = (py + 1) * (parent.width + 2) + px + 1
                across, down, corners = around(parent_v, there, parent.width + 2)
                big_e += m[3] * parent_v[there] + m[4] * (2 * (across + down) + corners)
            if luma_v:
                big_e += m[5] * abs(luma_v[at])
                big_l += s[3] * luma_v[at]
            small_e, small_l = clip(big_e >> 6, 0, 255), clip(big_l >> 6, -64, 64)
            lean = sum(edge <= abs(small_l) for edge in sign_edges)
            row = 4 * sum(edge <= small_e for edge in magnitude_edges) + lean
            mirrored = small_l < 0 and lean > 0
        minus, zero = rows[row]
        yield at, 2**24 - minus - zero if mirrored else minus, zero


class RangeDecoder:
    """Two decoders in step: one reads zeros beyond the end of the bytes, the other ones."""

    def __init__(self, code: bytes) -> None:
        self.code, self.at, self.low, self.range = code, 0, 0, MASK
        self.zeros = self.ones = 0
        self.read(8)

    def read(self, count: int) -> None:
        raw = self.code[self.at : self.at + count]
        self.at += count
        zeros, ones = (int.from_bytes(raw.ljust(count, b), "big") for b in (b"\x00", b"\xff"))
        self.zeros = (self.zeros << 8 * count | zeros) & MASK
        self.ones = (self.ones << 8 * count | ones) & MASK

    def digit(self, minus: int, zero: int) -> int | None:
        """The next digit, or None if the bytes do not determine it."""
        unit = self.range >> 24
        t0, t1 = (((v - self.low) & MASK) // unit for v in (self.zeros, self.ones))
        d, d1 = ((t >= minus) + (t >= minus + zero) - 1 for t in (t0, t1))
        if max(t0, t1) >= 2**24 or d != d1:
            return None
        below, f = ((0, minus), (minus, zero), (minus + zero, 2**24 - minus - zero))[d + 1]
        self.low, self.range = (self.low + unit * below) & MASK, unit * f
        if self.range < 2**32:
            self.low, self.range = self.low << 32 & MASK, self.range << 32
            self.read(4)
        return d


def read_digits(model: dict[str, Any], order: list[tuple[Band, int]], code: bytes) -> Iterator[int]:
    """The digits that the code string determines."""
    decoder = RangeDecoder(code)
    for band, plane in order:
        band.plane = plane
        if plane > 0:
            band.q = [3 * q for q in band.q]
        for parity in (0, 1):
            found = []
            for at, minus, zero in contexts(model, band, parity):
                if (d := decoder.digit(minus, zero)) is None:
                    return
                found.append((at, d))
                yield d
            for at, d in found:
                band.q[at] += d


def decode(data: bytes, model_path: Path) -> tuple[list[int], int, bool]:
    """The ids of the whole tokens that a stream determines, how many digits it determines, and
    whether these are all digits of the picture (the last token is then padded with zeros)."""
    model, sha256 = read_model(model_path)
    height, width, grey, start = read_header(data, sha256)
    order = units(model, make_bands(height, width, grey))
    digits = list(read_digits(model, order, data[start:]))
    count, total = len(digits), sum(band.height * band.width for band, _ in order)
    digits += [0] * (-count % 10 if count == total else 0)
    groups = [digits[i : i + 10] for i in range(0, len(digits) - 9, 10)]
    ids = [sum((d + 1) * 3 ** (9 - j) for j, d in enumerate(group)) for group in groups]
    return ids, count, count == total
