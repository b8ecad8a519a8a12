"""What `quality` and "auto" look like: bytes and likeness, how even over pictures, beside WebP."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import tokcodec
from benchmarks.codecs import find
from benchmarks.metrics import least_side, measure, require
from benchmarks.pictures import SETS, pictures, set_name
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec.errors import InputError
from tokcodec.quality import AUTO

OUT = Path(__file__).parent / "results" / "quality"
QUALITIES = (10, 30, 50, 60, 70, 80, 90)
RIVALLED = (60, 80)  # qualities beside which WebP is put, at as many bytes in the mean
METRICS = ("dists", "ssimulacra2", "psnr")
COLUMNS = ("image", "codec", "version", "setting", "bytes", "tokens", *METRICS)
OURS, RIVAL = "tokcodec:default", "webp"
GOOD = 0.9  # share of pictures that a budget for all is to serve

Found = list[dict[str, Any]]
Setting = float | str  # a quality, or "auto"
Rivals = dict[int, float]  # WebP's quality by ours


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks quality`."""
    parser.add_argument("--images", default="kodak256", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--qualities", type=int, nargs="+", default=list(QUALITIES))
    parser.add_argument("--webp", type=int, nargs="*", default=list(RIVALLED), metavar="QUALITY")
    parser.add_argument("--out", type=Path, default=OUT)


def run(args: argparse.Namespace) -> int:
    """Measure, write a TSV named after the set, print what it says; 0.

    Raises:
        InputError: a metric cannot be measured, here or on so small a picture; nothing is written.
    """
    named = set_name(args.images, args.out, OUT)
    require(METRICS)
    originals = {name: np.asarray(load()) for name, load in pictures(args.images).items()}
    least = max(least_side(metric) or 0 for metric in METRICS)
    if small := [name for name, rgb in originals.items() if min(rgb.shape[:2]) < least]:
        raise InputError(f"{small[0]} is too small: the metrics need {least} pixels a side")
    settings = [*sorted({*args.qualities, *args.webp}), AUTO]
    streams = {(name, q): encoded(rgb, q) for name, rgb in originals.items() for q in settings}
    rivals: Rivals = {}
    for q in args.webp:
        mean = float(np.mean([len(streams[name, q]) for name in originals]))
        rivals[q] = webp_at(list(originals.values()), mean)
    versions = {name: find(name).version for name in (OURS, RIVAL)}
    rows: list[list[Cell]] = []
    for name, rgb in originals.items():
        here = {q: streams[name, q] for q in (*args.qualities, AUTO)}
        rows += [[name, codec, versions[codec], *row] for codec, *row in _rows(rgb, here, rivals)]
        write_tsv(args.out / f"{named}.tsv", COLUMNS, rows)
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    print(looks(found))
    print(spread(found, rivals))
    print(saved(found))
    return 0


def encoded(rgb: np.ndarray, setting: Setting) -> bytes:
    """The stream of a picture at a quality, or with "auto" as its budget."""
    if isinstance(setting, str):
        return tokcodec.encode(rgb, budget=setting)
    return tokcodec.encode(rgb, quality=setting)


def webp_at(originals: Sequence[np.ndarray], wanted: float) -> float:
    """The one WebP quality at which the pictures take about `wanted` bytes in the mean."""
    codec: Any = find(RIVAL)
    images = [Image.fromarray(rgb) for rgb in originals]
    low, high = 0.0, 100.0
    for _ in range(12):
        middle = (low + high) / 2
        mean = np.mean([len(codec.compress(image, {"quality": middle})) for image in images])
        low, high = (middle, high) if mean < wanted else (low, middle)
    return round((low + high) / 2, 3)


def _rows(
    rgb: np.ndarray, streams: dict[Setting, bytes], rivals: Rivals
) -> Iterator[tuple[str, *tuple[Cell, ...]]]:
    for q, data in streams.items():
        shown = np.asarray(tokcodec.decode(data))
        kept = [measure(metric, rgb, shown) for metric in METRICS]
        yield OURS, q, len(data), tokcodec.info(data).tokens, *kept
    codec: Any = find(RIVAL)
    for setting in rivals.values():
        data = codec.compress(Image.fromarray(rgb), {"quality": setting})
        shown = np.asarray(codec.expand(data))
        kept = [measure(metric, rgb, shown) for metric in METRICS]
        yield RIVAL, setting, len(data), None, *kept


def _of(found: Found, codec: str, setting: Setting, column: str) -> np.ndarray:
    """A column of one codec at one setting, a value a picture."""
    rows = [r for r in found if r["codec"] == codec and r["setting"] == setting]
    return np.array([np.nan if r[column] is None else r[column] for r in rows], float)


def _settings(found: Found) -> list[Setting]:
    """Qualities from low to high, then "auto"."""
    ours = {r["setting"] for r in found if r["codec"] == OURS}
    return [*sorted(q for q in ours if not isinstance(q, str)), *(ours & {AUTO})]


def _named(setting: Setting) -> str:
    return setting if isinstance(setting, str) else f"{setting:,.5g}"


def _deviation(values: np.ndarray) -> list[str]:
    """Standard deviation and distance between the quartiles."""
    low, high = np.percentile(values, [25, 75])
    return [f"{values.std():.4f}", f"{high - low:.4f}"]


def looks(found: Found) -> str:
    """Means over the pictures at each quality."""
    lines: list[list[Cell]] = []
    for q in _settings(found):
        mean = {c: float(np.mean(_of(found, OURS, q, c))) for c in ("bytes", *METRICS)}
        lines.append([
            _named(q), f"{mean['bytes']:,.0f}", f"{mean['dists']:.3f}",
            f"{mean['ssimulacra2']:.1f}", f"{mean['psnr']:.2f}",
        ])  # fmt: skip
    return markdown(("quality", "bytes", "DISTS", "SSIMULACRA2", "PSNR"), lines)


def spread(found: Found, rivals: Rivals) -> str:
    """How even DISTS is over the pictures: at one quality, at one budget with the same mean DISTS,
    and with WebP at one setting of as many bytes.
    """
    lines: list[list[Cell]] = []
    for q in _settings(found):
        dists = _of(found, OURS, q, "dists")
        ways: list[tuple[str, Setting, Any, Any]] = [
            ("quality", q, _of(found, OURS, q, "bytes"), dists)
        ]
        for way in ("tokens", "bytes"):
            budget = budget_for(found, way, float(dists.mean()))
            if budget is not None:
                each = [at_budget(curve, way, budget) for curve in curves(found)]
                ways.append((f"fixed {way}", budget, *np.array(each).T))
        if q in rivals:
            size, dists = (_of(found, RIVAL, rivals[q], c) for c in ("bytes", "dists"))
            ways.append(("WebP quality", rivals[q], size, dists))
        for way, setting, size, each in ways:
            lines.append([
                way, _named(setting), f"{np.mean(size):,.0f}", f"{each.mean():.3f}",
                *_deviation(each), f"{each.max():.3f}",
            ])  # fmt: skip
    heads = ("way", "setting", "mean bytes", "mean DISTS", "deviation", "quartiles", "worst")
    return markdown(heads, lines)


def saved(found: Found) -> str:
    """Mean bytes beside those of a budget for all, at equal mean DISTS, and at equal DISTS of the
    picture that nine in ten are better than.
    """
    lines: list[list[Cell]] = []
    for q in _settings(found):
        size = float(_of(found, OURS, q, "bytes").mean())
        dists = _of(found, OURS, q, "dists")
        line: list[Cell] = [_named(q), f"{size:,.0f}"]
        for way in ("tokens", "bytes"):
            for goal in (None, GOOD):
                wanted = dists.mean() if goal is None else np.quantile(dists, goal)
                budget = budget_for(found, way, float(wanted), goal)
                if budget is None:
                    line.append(None)
                    continue
                other = np.mean([at_budget(c, way, budget)[0] for c in curves(found)])
                line.append(f"{100 * (size / other - 1):+.1f} %")
        lines.append(line)
    heads = [
        f"{goal} {way}"
        for way in ("tokens", "bytes")
        for goal in ("equal mean, fixed", "nine in ten, fixed")
    ]
    return markdown(("quality", "bytes", *heads), lines)


def curves(found: Found) -> list[Found]:
    """The rows of each picture at all qualities, by bytes."""
    ours = [r for r in found if r["codec"] == OURS]
    names = dict.fromkeys(r["image"] for r in ours)
    return [sorted((r for r in ours if r["image"] == n), key=lambda r: r["bytes"]) for n in names]


def at_budget(curve: Found, way: str, budget: float) -> tuple[float, float]:
    """Bytes and DISTS of a picture at a budget of tokens or bytes: on straight lines between its
    rows, over the logarithm of the budget.
    """
    x = np.log([r[way] for r in curve])
    size = np.interp(np.log(budget), x, np.log([r["bytes"] for r in curve]))
    return float(np.exp(size)), float(np.interp(np.log(budget), x, [r["dists"] for r in curve]))


def budget_for(found: Found, way: str, wanted: float, share: float | None = None) -> float | None:
    """The budget for all pictures at which their mean DISTS, or that of the worst of the best
    `share`, is `wanted`; None where that is beyond the rows of some picture.
    """
    every = curves(found)
    low = max(curve[0][way] for curve in every)
    high = min(curve[-1][way] for curve in every)
    grid = np.exp(np.linspace(np.log(low), np.log(high), 200))
    each = np.array([[at_budget(curve, way, b)[1] for curve in every] for b in grid])
    level = each.mean(1) if share is None else np.quantile(each, share, axis=1)
    if not level.min() <= wanted <= level.max():
        return None
    i = int(np.argmax(level <= wanted))
    if i == 0:
        return float(grid[0])
    share_of_step = (level[i - 1] - wanted) / (level[i - 1] - level[i])
    return float(grid[i - 1] * (grid[i] / grid[i - 1]) ** share_of_step)
