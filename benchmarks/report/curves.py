"""Rows to each codec's points picture by picture, and to means and spread over the pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from benchmarks.metrics import HIGHER_IS_BETTER
from benchmarks.rows import FULL_SIZE, LPIPS, PSNR, Row, is_ours

KNOWN = ("webp", "avif", "jxl", "jpeg2000", "jpeg", "thumbhash", "blurhash")  # order in the tables


class Metric(NamedTuple):
    """A column of the rows. `chosen_by`: the rows that show classical codecs at their best for it:
    pixel metrics read those chosen by PSNR, metrics of network features those by LPIPS-Alex.
    """

    name: str
    label: str
    digits: int
    chosen_by: str

    @property
    def higher(self) -> bool:
        """Whether higher is better."""
        return HIGHER_IS_BETTER[self.name]


METRICS = (
    Metric("psnr", "PSNR, dB", 2, PSNR),
    Metric("lpips_alex", "LPIPS-Alex", 3, LPIPS),
    Metric("dists", "DISTS", 3, LPIPS),
    Metric("ms_ssim", "MS-SSIM", 3, PSNR),
    Metric("lpips_vgg", "LPIPS-VGG", 3, LPIPS),
    Metric("ssimulacra2", "SSIMULACRA2", 1, PSNR),
)


class Mean(NamedTuple):
    """A codec at one byte target. The numbers are None unless every picture has one: a mean over
    those that fit would be one over the easy pictures.
    """

    images: int
    tried: int  # pictures with a row, which says that nothing fits or what the file is like
    fits: int
    measured: int  # pictures with a value, of those that fit
    bytes: float | None = None  # geometric mean of the files' own sizes
    value: float | None = None
    low: float | None = None  # quartiles over the pictures
    high: float | None = None


class Curve(NamedTuple):
    """The best that a codec gives one picture for so many bytes or fewer: both lists rise.
    `gains` are metrics with the sign turned where lower is better.
    """

    bytes: tuple[int, ...]
    gains: tuple[float, ...]
    none_below: int  # largest target that nothing fits, or 0
    most: int  # largest target tried

    def best(self, target: int) -> tuple[int, float] | None:
        """Bytes and gain of the best point of at most `target` bytes."""
        fitting = [p for p in zip(self.bytes, self.gains, strict=True) if p[0] <= target]
        return fitting[-1] if fitting else None


class Results:
    """All rows of an image set, ready to be asked by codec, metric and byte target."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        self.images = tuple(sorted({r.image for r in self.rows}))
        self.targets = tuple(sorted({r.target for r in self.rows}))
        self.codecs = tuple(sorted({r.codec for r in self.rows}, key=_rank))
        self._curves: dict[tuple[str, str, str], Curve] = {}
        self._by_key = {r.key: r for r in self.rows}
        self._ways = {(r.codec, r.chosen_by) for r in self.rows}

    def versions(self, codec: str) -> tuple[str, ...]:
        return tuple(sorted({r.version for r in self.rows if r.codec == codec}))

    def metrics(self) -> tuple[Metric, ...]:
        """Those that any row has."""
        return tuple(m for m in METRICS if any(getattr(r, m.name) is not None for r in self.rows))

    def way(self, codec: str, metric: Metric) -> str:
        """The `chosen_by` of the rows to read: the metric's own; PSNR for a codec without such
        rows, and for tokcodec, which has one stream for a limit: no shorter one that LPIPS likes.
        """
        own = (codec, metric.chosen_by) in self._ways and not is_ours(codec)
        return metric.chosen_by if own else PSNR

    def row(self, codec: str, image: str, target: int, chosen_by: str) -> Row | None:
        return self._by_key.get((codec, image, target, chosen_by))

    def measured(self, codec: str, metric: Metric) -> bool:
        """Whether any file of a codec, if there is one, has a metric."""
        files = [r for r in self.rows if r.codec == codec and r.bytes is not None]
        return not files or any(getattr(r, metric.name) is not None for r in files)

    def full_size_differs(self, codec: str) -> bool:
        """Whether a codec has rows at full size that are not its best ones anyway."""
        return any(
            r.chosen_by == FULL_SIZE
            and (best := self.row(codec, r.image, r.target, PSNR)) is not None
            and (best.bytes, best.psnr) != (r.bytes, r.psnr)
            for r in self.rows
            if r.codec == codec
        )

    def mean(self, codec: str, metric: Metric, target: int, chosen_by: str | None = None) -> Mean:
        """Mean and quartiles over all pictures, or how many of them fit."""
        way = chosen_by or self.way(codec, metric)
        found = [self.row(codec, image, target, way) for image in self.images]
        tried = [r for r in found if r is not None]
        fitting = [r for r in tried if r.bytes is not None]
        values = [v for r in fitting if (v := getattr(r, metric.name)) is not None]
        counts = len(self.images), len(tried), len(fitting), len(values)
        if len(values) < len(self.images):
            return Mean(*counts)
        sizes = [r.bytes for r in fitting if r.bytes is not None]
        return _mean(counts, values, 2 ** float(np.mean(np.log2(sizes))))

    def difference(self, codec: str, reference: str, metric: Metric, target: int) -> Mean:
        """How much better (positive) `codec` is than `reference`, picture by picture at one byte
        target: mean and quartiles, `bytes` the target; None unless both fit every picture.
        """
        pairs = [
            [self.row(c, image, target, self.way(c, metric)) for c in (codec, reference)]
            for image in self.images
        ]
        tried = sum(all(r is not None for r in pair) for pair in pairs)
        fits = sum(all(r is not None and r.bytes is not None for r in pair) for pair in pairs)
        sign = 1 if metric.higher else -1
        values = []
        for pair in pairs:
            a, b = (None if r is None else getattr(r, metric.name) for r in pair)
            if a is not None and b is not None:
                values.append(sign * (a - b))
        return _mean((len(self.images), tried, fits, len(values)), values, float(target))

    def curve(self, codec: str, metric: Metric, image: str) -> Curve:
        """The codec's points for one picture without those that a smaller file matches."""
        key = codec, metric.name, image
        if key not in self._curves:
            self._curves[key] = self._curve(codec, metric, image)
        return self._curves[key]

    def _curve(self, codec: str, metric: Metric, image: str) -> Curve:
        way, sign = self.way(codec, metric), 1 if metric.higher else -1
        points: dict[int, float] = {}
        none_below = most = 0
        for target in self.targets:
            row = self.row(codec, image, target, way)
            if row is None:
                continue
            most = target
            value = getattr(row, metric.name)
            if row.bytes is None:
                none_below = target
            elif value is not None and math.isfinite(value):
                points[row.bytes] = max(sign * value, points.get(row.bytes, -math.inf))
        rising: list[tuple[int, float]] = []
        for size, gain in sorted(points.items()):
            if not rising or gain > rising[-1][1]:
                rising.append((size, gain))
        return Curve(tuple(p[0] for p in rising), tuple(p[1] for p in rising), none_below, most)


def _mean(counts: tuple[int, int, int, int], values: list[float], size: float) -> Mean:
    if not values or len(values) < counts[0]:
        return Mean(*counts)
    low, high = np.percentile(values, [25, 75])
    return Mean(*counts, size, float(np.mean(values)), float(low), float(high))


def _rank(codec: str) -> tuple[int, int, str]:
    known = KNOWN.index(codec) if codec in KNOWN else len(KNOWN)
    return (0 if is_ours(codec) else 1), known, codec
