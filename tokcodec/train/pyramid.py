"""Photographs to a `pyramid` model file: the order of units, the context weights, the tables.

    python -m tokcodec.train.pyramid --images photos/ more.tar --out pyramid.safetensors

Everything is counted, nothing is iterated to convergence: (1) weights of the neighbours by least
squares, (2) bins of the weighted sums and the digits counted in them, (3) the squared error that
each unit removes and the bits it costs, whose ratio gives the order. A new order changes what is
known at each digit, so the three are done a few times. The same images in the same order give the
same file.
"""

from __future__ import annotations

import argparse
import io
import itertools
import sys
import tarfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from tokcodec import model as m
from tokcodec.files import write_atomically
from tokcodec.pixels.colour import to_planes
from tokcodec.prior.context import CAP, Knowledge, neighbours, rescaled
from tokcodec.prior.tables import SIGN_LUT, pass_tables
from tokcodec.tokens.order import Pass, order_for
from tokcodec.tokens.pyramid import Source, analyse

# Above what the transform can make of any 8-bit picture (tests/tokens/test_wavelet.py).
TOPS = (425, 347, 401)
# Training pictures (height, width), and how many of each to one of the first.
SHAPES = {
    (256, 256): 1.0,
    (448, 608): 0.75,
    (192, 288): 0.5,
    (288, 384): 0.25,
    (128, 96): 1.5,
    (64, 96): 6.0,
}
WHOLE = 0.5  # share of pictures taken as large as the shape allows; the others are random crops
# Fine cells of the weighted sums; the model keeps the edges that tell most.
MAGNITUDE_CELLS = np.array([
    1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 17, 20, 24, 28, 33, 38, 44, 50, 58, 66, 76, 88, 100, 115, 132,
    150, 172, 196, 224, 250,
])  # fmt: skip
SIGN_CELLS = np.array([1, 2, 3, 5, 7, 10, 14, 20, 28, 40])
BATCH_PIXELS = 3 << 20
FEATURES = 6  # across, down, diagonal, parent, around the parent, luma
# Bits that a digit is taken to cost beside its code: it takes time, and a share of a token.
DIGIT_COST = 1 / 32
LEAST = 256  # no frequency below this, of 2**24: no digit dearer than 16 bits


def photographs(paths: list[Path]) -> Iterator[Image.Image]:
    """Pictures from tar files, folders and files, in the order given (folders sorted)."""
    for path in paths:
        if path.suffix == ".tar":
            with tarfile.open(path) as tar:
                for member in tar:
                    if member.isfile() and (data := tar.extractfile(member)):
                        yield Image.open(io.BytesIO(data.read())).convert("RGB")
        elif path.is_dir():
            yield from photographs(sorted(p for p in path.rglob("*") if p.is_file()))
        else:
            yield Image.open(path).convert("RGB")


def crops(paths: list[Path], count: int, seed: int) -> list[np.ndarray]:
    """Batches (n, height, width, 3) of photographs and crops of them, scaled down to one of
    `SHAPES`.
    """
    rng = np.random.default_rng(seed)
    found: dict[tuple[int, int], list[np.ndarray]] = {shape: [] for shape in SHAPES}
    for image in photographs(paths):
        fitting = [
            s
            for s in SHAPES
            if image.height >= s[0] and image.width >= s[1] and len(found[s]) < SHAPES[s] * count
        ]
        if not fitting:
            continue
        shape = (
            max(fitting) if rng.random() < 0.5 else fitting[rng.integers(len(fitting))]
        )  # large ones are rare
        most = min(image.height / shape[0], image.width / shape[1])
        scale = most if rng.random() < WHOLE else float(np.exp(rng.uniform(0, np.log(most))))
        h, w = min(image.height, round(shape[0] * scale)), min(image.width, round(shape[1] * scale))
        free = image.height - h, image.width - w
        y, x = (f // 2 if scale == most else int(rng.integers(f + 1)) for f in free)
        crop = image.crop((x, y, x + w, y + h)).resize(shape[::-1], Image.Resampling.LANCZOS)
        found[shape].append(np.asarray(crop))
    batches = []
    for (h, w), pictures in found.items():
        n = max(1, BATCH_PIXELS // (h * w))
        batches += [np.stack(pictures[i : i + n]) for i in range(0, len(pictures), n)]
    return batches


class Statistics:
    """Sums over digits, by unit (channel, slot, plane) and pass; two of them add up."""

    def __init__(self) -> None:
        unit = (3, m.SLOTS, m.PLANES)
        cells = (len(MAGNITUDE_CELLS) + 1, len(SIGN_CELLS) + 1, 3)
        self.sums: dict[str, np.ndarray] = {
            "magnitude": np.zeros(
                (*unit, 2, FEATURES + 2, FEATURES + 2)
            ),  # normal equations: features, 1, target
            "sign": np.zeros((*unit, 2, 5, 5)),
            "cells": np.zeros((*unit, 2, *cells), np.int64),
            "ages": np.zeros((*unit, 2, m.AGES, 3), np.int64),
            "moments": np.zeros(
                (*unit, 2, 3)
            ),  # of the place within the step: n, sum, sum of squares
            "gain": np.zeros(unit),  # squared error removed
            "digits": np.zeros(unit),
        }

    def __iadd__(self, other: Statistics) -> Statistics:
        for name, value in other.sums.items():
            self.sums[name] = self.sums[name] + value
        return self


def measure(model: m.Model, batch: np.ndarray, floor: int, weights_only: bool) -> Statistics:
    """Walk through a batch of pictures of one size in the model's order and sum up what is seen.

    Units whose score falls more than `floor` below the best are left out.
    """
    stats = Statistics()
    n, height, width, _ = batch.shape
    order = order_for(model, height, width, 3)
    source = Source(order, analyse(to_planes(batch, grey=False)))
    knowledge = Knowledge(order, (n,))
    scores = [
        model.score(b.channel, b.level, b.orientation, s.plane, b.area)
        for s in order.passes
        for b in [order.bands[s.band]]
    ]
    best = max(scores)
    for step, score in zip(order.passes, scores, strict=True):
        if score < best - floor:
            break
        band = order.bands[step.band]
        at = (band.channel, m.slot(band.level, band.orientation), min(step.plane, m.PLANES - 1))
        if weights_only:
            _regress(stats, knowledge, source, step, (*at, step.parity))
        else:
            _count(stats, knowledge, source, step, model, at)
    return stats


def _truth(source: Source, step: Pass) -> np.ndarray:
    """What the digits so far leave of the coefficients of a pass, in steps of its plane (call
    before `digits`).
    """
    return source.rest(step).astype(np.float32) / np.float32(
        3 ** (source.order.planes[step.band] - 1 - step.plane)
    )


def _regress(
    stats: Statistics, known: Knowledge, source: Source, step: Pass, at: tuple[int, ...]
) -> None:
    rest = _truth(source, step)
    digits = source.digits(step)
    magnitude, sign = features(known, step)
    fresh = known.begin(step).take(known.order.places(step).cells, axis=-1) == 0
    x = np.stack([f[fresh] for f in magnitude] + [np.ones(fresh.sum(), np.int32)], 1).astype(
        np.float64
    )
    y = np.minimum(2 * np.abs(rest[fresh]), 3.0)
    x = np.concatenate([x, y[:, None]], 1)
    stats.sums["magnitude"][at] += x.T @ x
    x = np.stack([f[fresh] for f in sign] + [digits[fresh]], 1).astype(np.float64)
    stats.sums["sign"][at] += x.T @ x
    known.add(step, digits)


def features(known: Knowledge, step: Pass) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The six magnitudes and four signed values that `Knowledge.contexts` weighs."""
    q, places = known.begin(step), known.order.places(step)
    zero = np.zeros((*known.lead, step.digits), np.int32)
    around = neighbours(np.minimum(np.abs(q), CAP), places.grid)
    magnitude = [f.take(places.at, axis=-1) for f in around]
    around = neighbours(np.clip(q, -CAP, CAP), places.grid)
    sign = [f.take(places.at, axis=-1) for f in around]
    if places.parent in known.q:
        above = known.above(places.parent, step.plane)
        magnitude += [f.take(places.up, axis=-1) for f in above]
    else:
        magnitude += [zero, zero]
    beside = zero
    if places.luma in known.q:
        beside = known.q[places.luma].take(places.cells, axis=-1)
        beside = rescaled(beside, step.plane - known.plane[places.luma])
    magnitude.append(np.abs(beside))
    sign.append(beside)
    return magnitude, sign


def _count(
    stats: Statistics,
    known: Knowledge,
    source: Source,
    step: Pass,
    model: m.Model,
    at: tuple[int, int, int],
) -> None:
    order, band = known.order, known.order.bands[step.band]
    digits = source.digits(step)
    tables = pass_tables(model, band.channel, band.level, band.orientation, step.plane, step.parity)
    expected, leaning = known.sums(step, tables)
    here = known.begin(step).take(order.places(step).cells, axis=-1)
    shape = digits.shape
    cell = np.searchsorted(MAGNITUDE_CELLS, np.broadcast_to(expected, shape), side="right")
    leaning = np.clip(np.broadcast_to(leaning, shape), -SIGN_LUT, SIGN_LUT)
    side = np.searchsorted(SIGN_CELLS, np.abs(leaning), side="right")
    mirrored = digits * np.where(leaning < 0, -1, 1) + 1
    fresh = here == 0
    counts = stats.sums["cells"][(*at, step.parity)]
    flat = (cell * counts.shape[1] + side) * 3 + mirrored
    counts += np.bincount(flat[fresh], minlength=counts.size).reshape(counts.shape)
    old = ~fresh
    if old.any():
        age = np.searchsorted([4, 13], np.abs(here[old]))
        outward = digits[old] * np.sign(here[old]) + 1
        stats.sums["ages"][(*at, step.parity)] += np.bincount(
            age * 3 + outward, minlength=9
        ).reshape(3, 3)
    known.add(step, digits)
    unit, size = (
        3 ** (order.planes[step.band] - 1 - step.plane),
        model.step(band.channel, step.plane),
    )
    after = source.rest(step).astype(np.float64) / unit
    before = after + digits
    if step.plane < m.PLANES:
        stats.sums["gain"][at] += size**2 * (
            _spread(before, here // 3) - _spread(after, here + digits)
        )
        stats.sums["digits"][at] += digits.size
    for larger in (0, 1):
        stats.sums["moments"][(*at, larger)] += _moments(after, here + digits, larger)


def _moments(rest: np.ndarray, q: np.ndarray, larger: int) -> np.ndarray:
    """Of how far coefficients lie below the middle of their step: n, sum, sum of squares;
    magnitudes 1, or above.
    """
    chosen = (np.abs(q) > 1) if larger else (np.abs(q) == 1)
    below = -(rest * np.sign(q))[chosen]
    return np.array([len(below), below.sum(), np.square(below).sum()])


def _spread(rest: np.ndarray, q: np.ndarray) -> float:
    """Squared error around zero, for zeros, and around the centroids, for the others."""
    error = float(np.square(rest[q == 0]).sum())
    for larger in (0, 1):
        n, total, squares = _moments(rest, q, larger)
        error += squares - total**2 / max(n, 1.0)
    return error


def fit_weights(model: m.Model, stats: Statistics) -> None:
    """Least squares of what is to come on what is around: integer weights in 1/4096."""
    magnitude, sign = stats.sums["magnitude"], stats.sums["sign"]
    for at in np.ndindex(*magnitude.shape[:4]):
        model.arrays["magnitude_weights"][at] = _solve(
            magnitude[at], FEATURES, FEATURES + 1, keep=0.02
        )
        model.arrays["sign_weights"][at] = _solve(sign[at], 4, 4, keep=0.02)


def _solve(normal: np.ndarray, count: int, known: int, keep: float) -> np.ndarray:
    """Ridge regression from normal equations; features that contribute less than `keep` of the
    whole are dropped.
    """
    chosen = np.flatnonzero(np.diag(normal)[:count])
    out = np.zeros(count, np.int16)
    target = normal[-1, -1]
    while len(chosen) and target > 0:
        use = np.append(chosen, np.arange(count, known))
        a = normal[np.ix_(use, use)]
        w = np.linalg.solve(a + np.diag(1e-3 * np.diag(a) + 1e-6), normal[use, -1])[: len(chosen)]
        share = np.abs(w) * np.sqrt(np.diag(normal)[chosen] / target)
        if share.min() >= keep:
            out[chosen] = np.clip(np.rint(w * 4096), -32768, 32767)
            break
        chosen = np.delete(chosen, share.argmin())
    return out


def fit_tables(model: m.Model, stats: Statistics) -> None:
    """Edges that tell most, frequencies counted between them, centroids."""
    arrays, cells, ages = model.arrays, stats.sums["cells"], stats.sums["ages"]
    for at in np.ndindex(*cells.shape[:4]):
        counts = cells[at].astype(np.float64)
        rows = best_edges(counts.sum(1), m.MAGNITUDE_BINS)
        signs = best_edges(counts.sum(0), m.SIGN_BINS)
        arrays["magnitude_edges"][at] = _edges(MAGNITUDE_CELLS, rows, m.MAGNITUDE_BINS)
        arrays["sign_edges"][at] = _edges(SIGN_CELLS, signs, m.SIGN_BINS)
        joined = np.add.reduceat(
            np.add.reduceat(counts, [0, *(r + 1 for r in rows)], 0), [0, *(s + 1 for s in signs)], 1
        )
        full = np.zeros((m.MAGNITUDE_BINS, m.SIGN_BINS, 3))
        full[: joined.shape[0], : joined.shape[1]] = joined
        full[:, 0] = full[:, 0] + full[:, 0, ::-1]  # no leaning: both signs alike
        backing = full.sum(1, keepdims=True) + 0.5 * full.sum((0, 1)) / max(1.0, full.sum()) + 1e-3
        full += 2 * backing / backing.sum(-1, keepdims=True)
        old = ages[at] + 2 * (ages[at].sum(0) + 1) / (ages[at].sum() + 3)
        arrays["frequencies"][at] = frequencies(np.concatenate([full.reshape(-1, 3), old]))[:, :2]
    n, total, _ = np.moveaxis(stats.sums["moments"], -1, 0)
    arrays["centroids"][:] = np.rint(np.where(n > 30, total / np.maximum(n, 1), 0) * 32768).astype(
        np.int16
    )


def _edges(cells: np.ndarray, kept: list[int], bins: int) -> np.ndarray:
    """Kept edges, filled up with one that is never reached."""
    return np.array([int(cells[k]) for k in kept] + [32767] * (bins - 1 - len(kept)), np.int16)


def best_edges(counts: np.ndarray, bins: int) -> list[int]:
    """Indices of the edges to keep, of those between the rows of `counts`, merging the pair that
    loses fewest bits.
    """

    def bits(row: np.ndarray) -> float:
        p = row[row > 0]
        return float(-(p * np.log2(p / p.sum())).sum())

    groups = [(k, row + 0.01) for k, row in enumerate(counts)]  # (last fine row, counts)
    while len(groups) > bins:
        losses = [
            bits(a[1] + b[1]) - bits(a[1]) - bits(b[1]) for a, b in itertools.pairwise(groups)
        ]
        k = int(np.argmin(losses))
        groups[k : k + 2] = [(groups[k + 1][0], groups[k][1] + groups[k + 1][1])]
    return [k for k, _ in groups[:-1]]


def frequencies(counts: np.ndarray) -> np.ndarray:
    """Counts (rows, 3) to integers that sum to 2**24, none below `LEAST`."""
    p = counts / counts.sum(-1, keepdims=True)
    f = np.rint(p * (m.TOTAL - 3 * LEAST)).astype(np.int64) + LEAST
    rows = np.arange(len(f))
    f[rows, f.argmax(-1)] += m.TOTAL - f.sum(-1)
    return f.astype(np.uint32)


def fit_order(model: m.Model, stats: Statistics) -> None:
    """Scores: 256 log2 of squared error removed per bit, planes of a band on their upper hull."""
    cost = _bits(model, stats) + stats.sums["digits"] * DIGIT_COST
    scores = model.arrays["scores"].astype(np.int64)
    for channel, s in np.ndindex(3, m.SLOTS):
        hull: list[tuple[list[int], float, float]] = []
        seen = [p for p in range(m.PLANES) if stats.sums["digits"][channel, s, p]]
        for p in seen:
            hull.append(([p], stats.sums["gain"][channel, s, p], cost[channel, s, p] + 1e-3))
            while len(hull) > 1 and hull[-1][1] / hull[-1][2] >= hull[-2][1] / hull[-2][2]:
                (more, g, c), (planes, gain, price) = hull.pop(), hull.pop()
                hull.append((planes + more, gain + g, price + c))
        for planes, gain, price in hull:
            scores[channel, s, planes] = round(256 * np.log2(max(gain / price, 2.0**-40)))
        for p in range(max(seen, default=-1) + 1, m.PLANES):
            scores[channel, s, p] = (
                scores[channel, s, p - 1] if p else scores[channel, max(s - 3, 0), p]
            ) - (m.PLANE_DROP if p else 0)
    model.arrays["scores"][:] = np.clip(scores, -32768, 32767)
    last, earlier = (
        scores[:, 1 + 3 * (level - 1) :][:, :3, :4] for level in (m.LEVELS, m.LEVELS - 2)
    )
    model.arrays["drift"][:] = min(0, round(float(np.median(last - earlier)) / 2))


def _bits(model: m.Model, stats: Statistics) -> np.ndarray:
    """Bits that each unit costs under its own counts."""

    def entropy(counts: np.ndarray) -> np.ndarray:
        p = counts / np.maximum(counts.sum(-1, keepdims=True), 1)
        return -(counts * np.log2(np.maximum(p, 1e-12))).sum(-1)

    return entropy(stats.sums["cells"]).sum((-1, -2, -3)) + entropy(stats.sums["ages"]).sum(
        (-1, -2)
    )


def borrow(model: m.Model, stats: Statistics) -> None:
    """Units that no photograph reached borrow from the plane before, else the level before."""
    reached = (stats.sums["cells"].sum((-1, -2, -3)) + stats.sums["ages"].sum((-1, -2))).sum(
        -1
    ) > 200
    for channel, s, p in np.ndindex(*reached.shape):
        if not reached[channel, s, p] and (p or s > 3):
            to, take = (channel, s, p), (channel, s, p - 1) if p else (channel, s - 3, p)
            for name in (
                "magnitude_weights",
                "magnitude_edges",
                "sign_weights",
                "sign_edges",
                "frequencies",
                "centroids",
            ):
                model.arrays[name][to] = model.arrays[name][take]


def first_guess() -> m.Model:
    """A model with even tables, in the order of step sizes."""
    arrays = {name: np.zeros(shape, dtype) for name, (dtype, shape) in m.SHAPES.items()}
    arrays["tops"][:] = TOPS
    arrays["scores"][:] = -m.PLANE_DROP * np.arange(m.PLANES)
    arrays["magnitude_edges"][:] = 32767
    arrays["sign_edges"][:] = 32767
    arrays["frequencies"][:] = m.TOTAL // 3
    return m.Model("training", arrays)


def train(batches: list[np.ndarray], rounds: int, workers: int, progress: bool = True) -> m.Model:
    """The model of these photographs; see the module's docstring."""
    model = first_guess()
    for number in range(rounds):
        final = number == rounds - 1
        share = batches if final else batches[:: 2 if len(batches) > 8 else 1]
        for weights_only in (True, False):
            stats = Statistics()
            jobs = [
                (model, b, 256 * (30 if final and k % 6 == 0 else 19), weights_only)
                for k, b in enumerate(share)
            ]
            with ProcessPoolExecutor(workers) as pool:
                results = pool.map(measure, *zip(*jobs, strict=True))
                for s in tqdm(
                    results,
                    total=len(jobs),
                    disable=not progress,
                    desc=f"round {number + 1}/{rounds}",
                ):
                    stats += s
            model = m.Model("training", {k: v.copy() for k, v in model.arrays.items()})
            if weights_only:
                fit_weights(model, stats)
        fit_tables(model, stats)
        borrow(model, stats)
        if not final:
            fit_order(model, stats)
    return model


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tokcodec.train.pyramid", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--images", nargs="+", type=Path, required=True, help="tar files, folders or pictures"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="model file to write (.safetensors)"
    )
    parser.add_argument(
        "--count",
        type=int,
        default=320,
        help="pictures of 256x256; those of other shapes in proportion",
    )
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--about", default="", help="a line for the model's card")
    args = parser.parse_args(argv)
    batches = crops(args.images, args.count, args.seed)
    if not batches:
        parser.error("no picture is large enough to train on (64x64 at least)")
    model = train(batches, args.rounds, args.workers, sys.stderr.isatty())
    card = {
        "about": args.about,
        "pictures": str(sum(len(b) for b in batches)),
        "rounds": str(args.rounds),
        "seed": str(args.seed),
    }
    model = m.Model(args.out.stem, model.arrays, card)
    write_atomically(args.out, model.save_bytes(), overwrite=True)
    print(f"{args.out}: {model.id}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
