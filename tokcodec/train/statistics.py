"""Photographs, walked through in a model's order, to the sums that a better model is fitted to."""

from __future__ import annotations

import numpy as np

from tokcodec import model as m
from tokcodec.pixels.colour import to_planes
from tokcodec.prior.context import CAP, Contexts, Unit, neighbours, rescaled
from tokcodec.prior.tables import SIGN_LUT, pass_tables
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Pass, order_for
from tokcodec.tokens.quantiser import Source
from tokcodec.tokens.transform import analyse

# Fine cells of the weighted sums; the model keeps the edges that tell most.
MAGNITUDE_CELLS = np.array([
    1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 17, 20, 24, 28, 33, 38, 44, 50, 58, 66, 76, 88, 100, 115, 132,
    150, 172, 196, 224, 250,
])  # fmt: skip
SIGN_CELLS = np.array([1, 2, 3, 5, 7, 10, 14, 20, 28, 40])
MAGNITUDES = 6  # across, down, diagonal, parent, around the parent, luma


class Statistics:
    """Sums over digits, by unit (channel, slot, plane) and pass; two of them add up."""

    def __init__(self) -> None:
        unit = (3, m.SLOTS, m.PLANES)
        cells = (len(MAGNITUDE_CELLS) + 1, len(SIGN_CELLS) + 1, 3)
        self.sums: dict[str, np.ndarray] = {
            # Normal equations: features, 1, target.
            "magnitude": np.zeros((*unit, 2, MAGNITUDES + 2, MAGNITUDES + 2)),
            "sign": np.zeros((*unit, 2, 5, 5)),
            "cells": np.zeros((*unit, 2, *cells), np.int64),
            "ages": np.zeros((*unit, 2, m.AGES, 3), np.int64),
            # Of the place within the step: n, sum, sum of squares.
            "moments": np.zeros((*unit, 2, 3)),
            "gain": np.zeros(unit),  # squared error removed
            "digits": np.zeros(unit),
        }

    def __iadd__(self, other: Statistics) -> Statistics:
        for name, value in other.sums.items():
            self.sums[name] = self.sums[name] + value
        return self


def measure(
    model: m.Model, batch: np.ndarray, floor: int, finest: int, weights_only: bool
) -> Statistics:
    """Walk through a batch of pictures of one size in the model's order and sum up what is seen.

    Args:
        batch: uint8 (n, height, width, 3).
        floor: units whose score, 256 log2 of squared error removed per bit, falls more than this
            below the best are left out.
        finest: levels beyond this one are counted with it.
        weights_only: sum up what weights are fitted to, nothing else.
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
        slot = m.slot(min(band.level, finest), band.orientation)
        at = (band.channel, slot, min(step.plane, m.PLANES - 1))
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
    """The six magnitudes and four signed values that `Contexts.sums` weighs."""
    q, places = known.begin(step), known.order.places(step)
    zero = np.zeros((*known.lead, step.digits), np.int32)
    around = neighbours(np.minimum(np.abs(q), CAP), places.grid)
    magnitude = [f.take(places.core_cells, axis=-1) for f in around]
    around = neighbours(np.clip(q, -CAP, CAP), places.grid)
    sign = [f.take(places.core_cells, axis=-1) for f in around]
    if places.parent in known.q:
        above = Unit(known, step).above
        magnitude += [f.take(places.parent_cells, axis=-1) for f in above]
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
    expected, leaning = Contexts(known).sums(step, tables)
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
