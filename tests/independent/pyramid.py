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
from functools import cached_property, lru_cache
from operator import mul
from pathlib import Path
from typing import Any

from tests.independent.header import read_header
from tests.independent.range_decoder import RangeDecoder

Cell = tuple[int, int, int]  # where it is in `Band.q`, f(-1), f(0)
TYPES = {"I16": ("int16", "h"), "I32": ("int32", "i"), "U32": ("uint32", "I")}


def clip(number: int, low: int, high: int) -> int:
    return max(low, min(high, number))


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


@lru_cache(maxsize=4)
def read_model(path: Path) -> tuple[dict[str, Any], bytes]:
    """Model file: the arrays as nested lists, with the name of the prior, and the SHA-256."""
    data = path.read_bytes()
    start = 8 + struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:start])
    meaning = json.loads(header.pop("__metadata__")["meaning"])
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    sha, model = hashlib.sha256(text.encode()), {"prior": meaning["prior"]}
    for name in sorted(header):
        first, last = header[name]["data_offsets"]
        raw, shape = data[start + first : start + last], tuple(header[name]["shape"])
        kind, code = TYPES[header[name]["dtype"]]
        sha.update(f"{name}:{kind}:{shape}".encode("ascii") + raw)
        model[name] = [number for (number,) in struct.iter_unpack(f"<{code}", raw)]
        for size in reversed(shape[1:]):
            model[name] = [model[name][i : i + size] for i in range(0, len(model[name]), size)]
    return model, sha.digest()


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

    def at(self, y: int, x: int) -> int:
        """Where cell (y, x), clipped to the band, is in `q`."""
        y, x = clip(y, 0, self.height - 1), clip(x, 0, self.width - 1)
        return (y + 1) * (self.width + 2) + x + 1

    def cell(self, at: int) -> tuple[int, int]:
        y, x = divmod(at, self.width + 2)
        return y - 1, x - 1

    def parent_at(self, y: int, x: int) -> int:
        """Where the parent cell of cell (y, x), one level finer, is in `q`."""
        return self.at(y >> self.halved[0], x >> self.halved[1])


Bands = dict[tuple[int, int, int], Band]  # by channel, level, orientation


def make_bands(height: int, width: int, grey: bool) -> Bands:
    """Bands: all of them, luma first and each channel coarsest first."""
    splits, area = [], 0  # finest first
    while height > 4 or width > 4:
        halved, high = (height > 4, width > 4), (height // 2, width // 2)
        height, width = height - halved[0] * high[0], width - halved[1] * high[1]
        area += sum(halved)
        splits.append((halved, ((height, width), high), area))
    bands: Bands = {}
    for c in range(1 if grey else 3):
        bands[c, 0, 0] = Band(c, 0, 0, height, width, area, (0, 0), None, bands.get((0, 0, 0)))
        for level, (halved, sides, here) in enumerate(reversed(splits), 1):
            for o in (1, 2, 3):
                if (halved[1] or not o & 1) and (halved[0] or not o & 2):
                    h, w = sides[o >> 1][0], sides[o & 1][1]
                    relatives = bands.get((c, level - 1, o)), bands.get((0, level, o))
                    bands[c, level, o] = Band(c, level, o, h, w, here, halved, *relatives)
    return bands


@lru_cache(maxsize=256)
def cells(height: int, width: int, parity: int) -> list[tuple[int, int]]:
    """The cells of a pass, in the order of their visit."""
    found = []
    for y in range(height):
        for x in range((y + parity) % 2, width, 2):
            rank = sum((2 * ((x ^ y) >> b & 1) + (y >> b & 1)) * 4 ** (2 - b) for b in (0, 1, 2))
            found.append((rank, y, x))
    return [(y, x) for _, y, x in sorted(found)]


def units(model: dict[str, Any], bands: Bands) -> list[tuple[Band, int]]:
    """Order: all planes of all bands."""
    found = []
    for band in bands.values():
        scores, top = model["scores"][band.channel][band.slot], model["tops"][band.channel]
        shift = model["drift"][0] * max(0, band.level - 8) + 256 * band.area
        score, p = scores[0] + shift, 0
        while p == 0 or 4 * top**2 * 2**band.area > 9 ** (p + 1):
            score = min(score, scores[min(p, 7)] + shift - 812 * max(0, p - 7))
            found.append(((-score, p, band.level, band.channel, band.orientation), band))
            p += 1
    return [(band, key[1]) for key, band in sorted(found, key=lambda pair: pair[0])]


def seen_from(plane: int, band: Band, steps: int) -> list[int]:
    """The values of all cells of another band, in quarter steps of `plane`, up to `steps` steps."""
    most = 4 * steps
    if (k := plane - band.plane) >= 0:
        factor = 4 * 3 ** min(k, 4)
        return [clip(clip(q, -most, most) * factor, -most, most) for q in band.q]
    u = 3 ** min(-k, 16)
    sizes = [min(most, (4 * min(abs(q), steps * u + 1) + u // 2) // u) for q in band.q]
    return [-v if q < 0 else v for q, v in zip(band.q, sizes, strict=True)]


def around(f: list[int], at: int, stride: int) -> tuple[int, int, int]:
    """Sums across, down and over the corners of a cell."""
    above, below = f[at - stride - 1 : at - stride + 2], f[at + stride - 1 : at + stride + 2]
    return f[at - 1] + f[at + 1], above[1] + below[1], above[0] + above[2] + below[0] + below[2]


def contexts(model: dict[str, Any], band: Band, parity: int) -> Iterator[Cell]:
    """The cells of a pass, with the frequencies of the tables."""
    names = "magnitude_weights", "magnitude_edges", "sign_weights", "sign_edges", "frequencies"
    tables = (model[name][band.channel][band.slot][min(band.plane, 7)][parity] for name in names)
    m, magnitude_edges, s, sign_edges, rows = tables
    a, g = [min(abs(q), 6) for q in band.q], [clip(q, -6, 6) for q in band.q]
    parent, luma = (b if b and b.plane >= 0 else None for b in (band.parent, band.luma))
    parent_v = [abs(v) for v in seen_from(band.plane, parent, 6)] if parent else []
    luma_v = seen_from(band.plane, luma, 6) if luma else []
    stride = band.width + 2
    for y, x in cells(band.height, band.width, parity):
        at = (y + 1) * stride + x + 1
        if q := band.q[at]:
            row, mirrored = 48 + (0 if abs(q) == 3 else 1 if abs(q) <= 12 else 2), q < 0
        else:
            big_e = sum(w * n for w, n in zip(m, around(a, at, stride), strict=False))
            big_l = sum(w * n for w, n in zip(s, around(g, at, stride), strict=False))
            if parent:
                there = parent.parent_at(y, x)
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


@lru_cache(maxsize=4096)
def log(v: int) -> int:
    n = 1 + clip(v, 0, 4095)
    b = n.bit_length() - 1
    return 16 * b + (16 * n >> b) - 16


def slog(v: int) -> int:
    return sign(v) * log(abs(v))


def ln(v: int) -> int:
    b = v.bit_length() - 1
    return 44 * b + (44 * ((v << 16 >> b) - 65536) >> 16)


def sums(f: list[int], band: Band) -> list[int]:
    """Sums over the 3 x 3 cells around and with each cell; 0 outside the band."""
    found, stride = [0] * len(f), band.width + 2
    for y in range(band.height):
        for at in range(band.at(y, 0), band.at(y, 0) + band.width):
            found[at] = f[at] + sum(around(f, at, stride))
    return found


class Seen:
    """A band as seen from a plane. One that does not exist gives zeros."""

    def __init__(self, plane: int, band: Band | None) -> None:
        self.band = band or Band(0, 0, 0, 1, 1, 0, (0, 0), None, None)
        self.lit = any(self.band.q)
        self.d = seen_from(plane, self.band, 12) if self.lit else self.band.q
        self.s = [abs(v) for v in self.d]
        self.mean = 64 * sum(self.s) // (self.band.height * self.band.width)

    @cached_property
    def b(self) -> list[int]:
        return sums(self.s, self.band) if self.lit else self.s

    @cached_property
    def w(self) -> list[int]:
        return sums(self.b, self.band) if self.lit else self.s

    @cached_property
    def of_parents(self) -> list[int]:
        """For each cell of the parent, the sum of S over the cells that it was split into."""
        assert self.band.parent
        parent, (r, c) = self.band.parent, self.band.parent.halved
        found = [0] * len(parent.q)
        for y in range(min(self.band.height, parent.height << r)):
            for x in range(min(self.band.width, parent.width << c)):
                found[parent.parent_at(y, x)] += self.s[self.band.at(y, x)]
        return found


class Counts:
    """Digits that are not zero, in 1/1024, and as many as the tables expect, band by band."""

    def __init__(self, bands: Bands) -> None:
        self.now: dict[tuple[int, int, int], tuple[int, int]] = dict.fromkeys(bands, (0, 0))
        self.before, self.all = dict(self.now), (0, 0)

    def add(self, band: Band, digits: list[int], expected: int) -> None:
        """Count a pass."""
        key = band.channel, band.level, band.orientation
        new = 1024 * sum(map(abs, digits)), expected
        (n, m), (all_n, all_m) = self.now[key], self.all
        self.now[key] = n + new[0], m + new[1]
        self.all = all_n - (all_n >> 3) + new[0], all_m - (all_m >> 3) + new[1]

    def begin(self, band: Band) -> None:
        """Turn to a new plane."""
        key = band.channel, band.level, band.orientation
        self.before[key], self.now[key] = self.now[key], (0, 0)

    def features(self, band: Band) -> list[int]:
        c, level, o = key = band.channel, band.level, band.orientation
        groups = (
            [(c, level, k) for k in (1, 2, 3) if o and k != o],
            [(k, level, o) for k in (0, 1, 2) if k != c],
            [(c, level - 1, o)],
        )
        found = [[self.now[key]], [self.before[key]], [self.all]]
        for group in groups:
            found.append([f[k] for k in group if k in self.now for f in (self.now, self.before)])
        totals = [(sum(n for n, _ in f), sum(m for _, m in f)) for f in found]
        return [2 * (log(64 * (n + 4096) // (m + 4096)) - 96) for n, m in totals]


class Network:
    """The features of one pass, and the layers that make frequencies of them."""

    def __init__(
        self, model: dict[str, Any], bands: Bands, band: Band, parity: int, counts: Counts
    ) -> None:
        def see(channel: int, level: int, orientation: int) -> Seen:
            return Seen(band.plane, bands.get((channel, level, orientation)))

        self.model, self.band, self.parity = model, band, parity
        self.surprise = counts.features(band)
        c, level, o = band.channel, band.level, band.orientation
        self.parent = see(c, level - 1, o)
        self.grandparent = see(c, level - 2, o) if self.parent.lit else Seen(band.plane, None)
        self.finer = see(c, level + 1, o)
        self.sisters = [see(c, level, k) for k in (1, 2, 3) if k != o][:2]
        self.others = [see(k, level, o) for k in (0, 1, 2) if k != c]
        self.levels = 8 * min(8, max(level for _, level, _ in bands) - level)
        self.a = [4 * min(abs(q), 12) for q in band.q]
        self.b2 = sums(sums(self.a, band), band)
        self.b4 = sums(sums(self.b2, band), band)
        self.mean = 64 * sum(self.a) // (band.height * band.width)
        self.v = [clip(q, -(2**20), 2**20) for q in band.q]
        if level == 0:  # a neighbour outside is the cell at the edge
            rows, columns = range(-1, band.height + 1), range(-1, band.width + 1)
            self.v = [self.v[band.at(y, x)] for y in rows for x in columns]

    def features(self, at: int, minus: int, zero: int) -> tuple[list[int], int]:
        """The features of a digit, and its mirror."""
        band, (p, r) = self.band, (self.parent, self.grandparent)
        y, x = band.cell(at)
        in_parent = p.band.parent_at(y, x)
        in_grandparent = r.band.parent_at(*p.band.cell(in_parent))
        sisters = [(sister, sister.band.at(y, x)) for sister in self.sisters]
        others = [(other, other.band.at(y, x)) for other in self.others]
        children = self.finer.of_parents[at] if self.finer.lit else 0
        if sum(band.halved) == 1:
            children *= 2
        near, slope = ([*around(f, at, band.width + 2)] for f in (self.a, self.v))
        if band.orientation == 2:  # across is beside, and down is along
            near[:2], slope[:2] = near[1::-1], slope[1::-1]
        v = self.v[at]
        slope = [clip(n * f - 4 * v, -384, 384) for n, f in zip((2, 2, 1), slope, strict=True)]
        along, beside, _ = slope
        forward = 2 * beside - along
        lean = (along + beside, forward, forward, -along - beside)[band.orientation]
        d = [slog(f.d[there]) for f, there in ((p, in_parent), *others)]
        mirror = sign(band.q[at]) or sign(lean) or sign(d[1] + d[2]) or 1
        found = [
            *map(log, near),
            *(log(self.b2[at]), log(self.b4[at] // 81), log(self.a[at]), log(self.mean)),
            *(log(p.s[in_parent]), log(p.b[in_parent]), log(p.w[in_parent])),
            log(r.b[in_grandparent]),
            *(log(f[there]) for seen, there in sisters + others for f in (seen.s, seen.b)),
            log(children),
            *(log(seen.mean) for seen in (p, self.others[0], self.sisters[0])),
            log(abs(lean)),
            *(mirror * slog(f) for f in slope),
            *(mirror * f for f in d),
            mirror * (64 - 64 * (2 * y + 1) // band.height),
            mirror * 64,
            0 if band.q[at] else 64,
            self.levels,
            64 * abs(2 * x + 1 - band.width) // band.width,
            *self.surprise,
            clip(ln(zero) - ln(2**24 - zero), -800, 800),
            mirror * clip(ln(2**24 - minus - zero) - ln(minus), -800, 800),
        ]
        return found, mirror

    def refine(self, steps: Iterator[Cell]) -> Iterator[Cell]:
        """The cells of the pass, with the network's frequencies in place of the tables'."""
        band, model = self.band, self.model
        kind = band.channel + 3 * (0, 1, 1, 2)[band.orientation]
        names = "first", "second", "last"
        first, second, last = ([*zip(*model[name][kind], strict=True)] for name in names)
        unit, last_bias = (
            model[name][band.channel][band.slot][min(band.plane, 7)][self.parity]
            for name in ("unit", "last_bias")
        )
        second_bias = model["second_bias"][kind]

        def layer(x: list[int], weights: list[Any], bias: list[int]) -> list[int]:
            return [sum(map(mul, x, w)) + b for w, b in zip(weights, bias, strict=True)]

        for at, minus, zero in steps:
            x, mirror = self.features(at, minus, zero)
            h = [clip(n >> 8, 0, 32767) for n in layer(x, first, [64 * u for u in unit])]
            g = [clip(n >> 10, 0, 32767) for n in layer(h, second, second_bias)]
            z, s = layer(g, last, last_bias)
            z, s = z + 4096 * x[41], s + 4096 * x[42]
            zero = model["zero"][clip((z >> 15) + 48, 0, 128)]
            plus = model["plus"][mirror * clip(s + 32768 >> 16, -24, 24) + 24]
            yield at, 2**24 - zero - ((2**24 - zero) * plus >> 16), zero


def read_digits(model: dict[str, Any], bands: Bands, code: bytes) -> Iterator[int]:
    """The digits that the code string determines."""
    decoder = RangeDecoder(code)
    learned, counts = model["prior"] == "integer-network-1", Counts(bands)
    for band, plane in units(model, bands):
        band.plane = plane
        if plane > 0:
            band.q = [3 * q for q in band.q]
        counts.begin(band)
        for parity in (0, 1):
            found = []
            plain = [*contexts(model, band, parity)]
            if not plain:
                continue
            expected = sum(2**24 - zero >> 14 for _, _, zero in plain)
            steps = iter(plain)
            if learned:
                steps = Network(model, bands, band, parity, counts).refine(steps)
            for at, minus, zero in steps:
                if (d := decoder.digit(minus, zero)) is None:
                    return
                found.append((at, d))
                yield d
            counts.add(band, [d for _, d in found], expected)
            for at, d in found:
                band.q[at] += d


def decode(data: bytes, model_path: Path) -> tuple[list[int], int, bool]:
    """The ids of the whole tokens that a stream determines, how many digits it determines, and
    whether these are all digits of the picture (the last token is then padded with zeros)."""
    model, sha256 = read_model(model_path)
    height, width, grey, start = read_header(data, sha256)
    bands = make_bands(height, width, grey)
    digits = list(read_digits(model, bands, data[start:]))
    count, total = len(digits), sum(b.height * b.width for b, _ in units(model, bands))
    digits += [0] * (-count % 10 if count == total else 0)
    groups = [digits[i : i + 10] for i in range(0, len(digits) - 9, 10)]
    ids = [sum((d + 1) * 3 ** (9 - j) for j, d in enumerate(group)) for group in groups]
    return ids, count, count == total
