"""Two codecs' curves to the bytes that one needs for the other's fidelity, and to the BD-rate."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from benchmarks.report.curves import Curve, Metric, Results
from tokcodec.errors import InputError

MIN_POINTS = 3
MIN_OVERLAP = 0.25  # of the narrower range of fidelity


class Needed(NamedTuple):
    """Bytes needed, median over the pictures, as the interval that it surely lies in: `low` is
    `high` where it is known, 0 if only "less than `high`" can be said, `high` infinite if only
    "more than `low`". All None where the reference does not fit every picture, or was not measured
    on all.
    """

    images: int
    measured: int  # pictures of which the rows say whether the reference fits, and how well
    fits: int  # pictures that the reference fits
    known: int = 0  # pictures for which the number lies between two measured points
    low: float | None = None
    high: float | None = None
    reference_bytes: float | None = None  # median of the reference's own files


def bytes_for(curve: Curve, gain: float) -> tuple[float, float]:
    """Bounds on the bytes that `curve` needs for `gain`; equal where it lies between two measured
    points: linear in log2 of the bytes. Never extrapolated.
    """
    if not curve.bytes:  # nothing fits, or not measured
        return float(curve.none_below), math.inf
    if gain > curve.gains[-1]:
        return float(curve.most), math.inf
    if gain < curve.gains[0]:
        return float(curve.none_below), float(curve.bytes[0])
    found = 2 ** float(np.interp(gain, curve.gains, np.log2(curve.bytes)))
    return found, found


def bytes_needed(
    results: Results, metric: Metric, codec: str, reference: str, target: int
) -> Needed:
    """Bytes that `codec` needs for the fidelity that `reference` has at `target` bytes."""
    bounds: list[tuple[float, float]] = []
    sizes: list[int] = []
    measured, way = 0, results.way(reference, metric)
    for image in results.images:
        row = results.row(reference, image, target, way)
        if row is None or (row.bytes is not None and getattr(row, metric.name) is None):
            continue  # what a smaller target has is not what this one has
        measured += 1
        best = results.curve(reference, metric, image).best(target)
        if best is not None:
            sizes.append(best[0])
            bounds.append(bytes_for(results.curve(codec, metric, image), best[1]))
    images, fits = len(results.images), len(sizes)
    if fits < images or not bounds:
        return Needed(images, measured, fits)
    low, high = (log_median([b[side] for b in bounds]) for side in (0, 1))
    known = sum(a == b for a, b in bounds)
    return Needed(images, measured, fits, known, low, high, log_median([float(s) for s in sizes]))


def log_median(values: list[float]) -> float:
    """Median; of an even number of values, the geometric mean of the middle two."""
    ranked = sorted(values)
    a, b = ranked[(len(ranked) - 1) // 2], ranked[len(ranked) // 2]
    return a if a == b else math.inf if math.isinf(b) else math.sqrt(a * b)


class BDRate(NamedTuple):
    """`percent`: bytes saved (negative) or spent by the codec, None where no picture has enough
    overlap; `known`: pictures that have.
    """

    images: int
    known: int
    percent: float | None


def bd_rate(results: Results, metric: Metric, codec: str, anchor: str) -> BDRate:
    """Bjontegaard's delta rate of `codec` against `anchor`, by picture over the range of fidelity
    that both reach, then the geometric mean of the ratios.
    """
    ratios = []
    for image in results.images:
        percent = curve_bd_rate(
            results.curve(anchor, metric, image), results.curve(codec, metric, image)
        )
        if percent is not None:
            ratios.append(math.log1p(percent / 100))
    mean = 100 * math.expm1(sum(ratios) / len(ratios)) if ratios else None
    return BDRate(len(results.images), len(ratios), mean)


def curve_bd_rate(anchor: Curve, test: Curve) -> float | None:
    """BD-rate in percent with monotone piecewise cubic interpolation (PCHIP) of log rate over
    fidelity; None with under MIN_POINTS points or too little overlap.

    G. Bjontegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33, 2001;
    the one cubic through all points that he proposes misbehaves on curves of many points.

    Raises:
        InputError: the package bjontegaard is missing.
    """
    try:
        from bjontegaard import bd_rate as bjontegaard_rate  # loads scipy and matplotlib
    except ImportError:
        raise InputError("BD-rates need bjontegaard: pip install bjontegaard") from None
    if min(len(anchor.bytes), len(test.bytes)) < MIN_POINTS:
        return None
    low, high = max(anchor.gains[0], test.gains[0]), min(anchor.gains[-1], test.gains[-1])
    narrower = min(c.gains[-1] - c.gains[0] for c in (anchor, test))
    if high - low < MIN_OVERLAP * narrower:
        return None
    return float(
        bjontegaard_rate(
            anchor.bytes,
            anchor.gains,
            test.bytes,
            test.gains,
            method="pchip",
            require_matching_points=False,
            min_overlap=0,
        )
    )
