"""Photographs to a `pyramid` model file: the order of units, the context weights, the tables.

Everything is counted, nothing is iterated to convergence: (1) weights of the neighbours by least
squares, (2) bins of the weighted sums and the digits counted in them, (3) the squared error that
each unit removes and the bits it costs, whose ratio gives the order. A new order changes what is
known at each digit, so the three are done a few times. The same images in the same order give the
same file.
"""

from __future__ import annotations

import itertools
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tokcodec import model as m
from tokcodec.train.levels import FINEST, beyond, lend
from tokcodec.train.statistics import (
    MAGNITUDE_CELLS,
    MAGNITUDES,
    SIGN_CELLS,
    Statistics,
    measure,
)

# Above what the transform can make of any 8-bit picture (tests/tokens/test_wavelet.py).
TOPS = (425, 347, 401)
# Bits that a digit is taken to cost beside its code: it takes time, and a share of a token.
DIGIT_COST = 1 / 32
MIN_FREQUENCY = 256  # no frequency below this, of 2**24: no digit dearer than 16 bits
# How far below the best score batches are gone through, and one batch in `EACH_DEEP`: to where
# no photograph has anything left to say.
USUAL, DEEP, EACH_DEEP = 22 * 256, 40 * 256, 3
# Of the scores of luma's planes, from a level to the next finer one beyond the finest that is
# counted. Pictures scaled down, which are counted, are sharper than what cameras give at full size:
# without it large ones send noise before shapes (docs/weights.md).
FALL = (0, 0, 75, 150, 150, 150, 150, 150)
DRIFT = -75  # of all scores, a level beyond those that have their own
# What is fitted to digits: all arrays but the steps and the order.
FITTED = (
    "magnitude_weights",
    "magnitude_edges",
    "sign_weights",
    "sign_edges",
    "frequencies",
    "centroids",
)


def fit_weights(model: m.Model, stats: Statistics) -> None:
    """Least squares of what is to come on what is around: integer weights in 1/4096."""
    magnitude, sign = stats.sums["magnitude"], stats.sums["sign"]
    for at in np.ndindex(*magnitude.shape[:4]):
        model.arrays["magnitude_weights"][at] = _solve(
            magnitude[at], MAGNITUDES, MAGNITUDES + 1, keep=0.02
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
    """Counts (rows, 3) to integers that sum to 2**24, none below `MIN_FREQUENCY`."""
    p = counts / counts.sum(-1, keepdims=True)
    f = np.rint(p * (m.TOTAL - 3 * MIN_FREQUENCY)).astype(np.int64) + MIN_FREQUENCY
    rows = np.arange(len(f))
    f[rows, f.argmax(-1)] += m.TOTAL - f.sum(-1)
    return f.astype(np.uint32)


class Segment(NamedTuple):
    """Planes of a band, one after the other, that are coded as one: each has the same score."""

    planes: list[int]
    gain: float  # squared error that they remove
    bits: float  # that they cost

    @property
    def slope(self) -> float:
        """Squared error removed per bit."""
        return self.gain / self.bits


def fit_order(model: m.Model, stats: Statistics) -> None:
    """Scores of the planes of each band: 256 log2 of the squared error that they remove per bit."""
    gain, cost = stats.sums["gain"], _bits(stats) + stats.sums["digits"] * DIGIT_COST
    scores = model.arrays["scores"].astype(np.int64)
    for channel, s in np.ndindex(3, m.SLOTS):
        row = scores[channel, s]
        reached = np.flatnonzero(stats.sums["digits"][channel, s]).tolist()
        for segment in upper_hull(reached, gain[channel, s], cost[channel, s]):
            row[segment.planes] = round(256 * np.log2(max(segment.slope, 2.0**-40)))
        # Planes that no photograph reached follow those before; whole bands the coarser level's.
        for plane in range(max(reached, default=-1) + 1, m.PLANES):
            coarser = scores[channel, max(s - 3, 0), plane]
            row[plane] = row[plane - 1] - m.PLANE_DROP if plane else coarser
    model.arrays["scores"][:] = np.clip(scores, -32768, 32767)


def upper_hull(planes: list[int], gain: np.ndarray, bits: np.ndarray) -> list[Segment]:
    """The planes in segments of falling slope. A plane that removes more error per bit than the one
    before can only come after it all the same, so both count as one: what is left is the upper
    convex hull of error removed over bits, as in optimal truncation (Shoham and Gersho, 1988).

    Args:
        planes: those that photographs reached, coarsest first.
        gain, bits: squared error that each plane removes, and what it costs: (PLANES,).
    """
    hull: list[Segment] = []
    for plane in planes:
        hull.append(Segment([plane], gain[plane], bits[plane] + 1e-3))
        while len(hull) > 1 and hull[-1].slope >= hull[-2].slope:
            last, before = hull.pop(), hull.pop()
            merged = before.gain + last.gain, before.bits + last.bits
            hull.append(Segment(before.planes + last.planes, *merged))
    return hull


def _bits(stats: Statistics) -> np.ndarray:
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
            for name in FITTED:
                model.arrays[name][to] = model.arrays[name][take]


def extend(model: m.Model, finest: int) -> None:
    """Levels beyond `finest` have its statistics and its scores, those of luma less `FALL` a level.
    What a coefficient stands for, which a score counts besides, tells them apart.
    """
    for name in (*FITTED, "scores"):
        lend(model.arrays[name], finest)
    for level, there in beyond(finest):
        model.arrays["scores"][0, there] -= np.array(FALL, np.int16) * (level - finest)
    model.arrays["drift"][:] = DRIFT


def first_guess() -> m.Model:
    """A model with even tables, in the order of step sizes."""
    arrays = {name: np.zeros(shape, dtype) for name, (dtype, shape) in m.SHAPES[m.TABLES].items()}
    arrays["tops"][:] = TOPS
    arrays["scores"][:] = -m.PLANE_DROP * np.arange(m.PLANES)
    arrays["magnitude_edges"][:] = 32767
    arrays["sign_edges"][:] = 32767
    arrays["frequencies"][:] = m.TOTAL // 3
    return m.Model("training", arrays)


def train(
    batches: list[np.ndarray],
    rounds: int,
    workers: int,
    finest: int = FINEST,
    progress: bool = True,
) -> m.Model:
    """The model of these photographs.

    Args:
        batches: pictures of one size each, uint8 (n, height, width, 3).
        rounds: how often to go through them; all but the last see every second batch, if there
            are more than eight.
        workers: processes that count.
        finest: levels from this one on are counted as one.
        progress: show a bar.
    """
    model = first_guess()
    for number in range(rounds):
        share = batches if number == rounds - 1 else batches[:: 2 if len(batches) > 8 else 1]
        for weights_only in (True, False):
            stats = Statistics()
            jobs = [
                (model, b, DEEP if k % EACH_DEEP == 0 else USUAL, finest, weights_only)
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
                extend(model, finest)
        fit_tables(model, stats)
        borrow(model, stats)
        if number < rounds - 1:
            fit_order(model, stats)
        extend(model, finest)
    return model
