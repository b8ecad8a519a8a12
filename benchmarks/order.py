"""Orders chosen from what is already decoded against the model's static one: PSNR at equal bytes.

Each digit's chances are those of the model's prior, so a receiver could make the same choices; code
lengths are ideal. What a digit is expected to remove is its chance not to be zero times the square
of its step and the squared norm of its basis function; what it costs is its entropy.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.lists import listed, whole_numbers
from benchmarks.pictures import SETS, pictures, set_name
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec.effort.adjoint import norms
from tokcodec.pixels.colour import to_planes, to_rgb
from tokcodec.prior import prior_for
from tokcodec.prior.interface import Odds
from tokcodec.psnr import psnr
from tokcodec.registry import DEFAULT, open_model
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Order, Pass, order_for
from tokcodec.tokens.quantiser import Source
from tokcodec.tokens.reconstruction import dequantise
from tokcodec.tokens.transform import analyse, synthesise

OUT = Path(__file__).parent / "results" / "order"
BYTES = (64, 128, 256, 512, 1024, 2048)
EACH = 1 / 32  # bits more that a digit counts, as in training: what is surely zero waits


class Way(NamedTuple):
    """How the next digit is found.

    Attributes:
        cells: within a pass, whether the most telling come first; row by row otherwise.
        share: of what is expected of this picture in the choice of the next pass; the rest is the
            model's score, the same for all pictures.
    """

    cells: bool = False
    share: float = 0.0


WAYS = {
    "static": Way(),
    "cells": Way(cells=True),
    "passes": Way(share=1.0),
    "leaning": Way(share=0.25),
    "cells, leaning": Way(cells=True, share=0.25),
}


class Look(NamedTuple):
    """What is expected of the digits of a pass: float64, a value each."""

    gain: np.ndarray  # squared error removed
    entropy: np.ndarray  # bits
    bits: np.ndarray  # of -1, 0, +1: (digits, 3)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks order`."""
    parser.add_argument("--images", default="scikit-image", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--model", default=DEFAULT, help="default: %(default)s")
    parser.add_argument("--bytes", default=listed(BYTES), help="default: %(default)s")
    parser.add_argument("--out", type=Path, default=OUT)


def run(args: argparse.Namespace) -> int:
    """Measure, write a TSV, print what each way gains and what that is in bytes; 0."""
    named = set_name(args.images, args.out, OUT)
    limits = whole_numbers(args.bytes, "bytes")
    model = open_model(args.model)
    rows: list[list[Cell]] = []
    for name, load in pictures(args.images).items():
        rgb = np.asarray(load().convert("RGB"))
        order = order_for(model, *rgb.shape)
        for title, way in WAYS.items():
            found = dict(walk(order, rgb, way, limits))
            rows.append([name, title, *(found.get(limit) for limit in limits)])
    columns = ("image", "way", *map(str, limits))
    write_tsv(args.out / f"{Path(args.model).stem}-{named}.tsv", columns, rows)
    head = ("way", *(f"{n} bytes" for n in limits), "bytes saved, %")
    print(markdown(head, _summary(rows, limits)))
    return 0


def _summary(rows: list[list[Cell]], limits: list[int]) -> list[list[Cell]]:
    """Mean PSNR of each way, and bytes saved at equal mean PSNR, mean over sizes."""
    means = {
        way: np.mean([[float(x or 0) for x in r[2:]] for r in rows if r[1] == way], 0)
        for way in WAYS
    }
    static, sizes = means["static"], np.log2(limits)
    slope = np.gradient(static, sizes) if len(limits) > 1 else np.full(1, np.inf)
    return [
        [way, *map(float, mean), float(100 * (1 - 2 ** -((mean - static) / slope)).mean())]
        for way, mean in means.items()
    ]


def walk(order: Order, rgb: np.ndarray, way: Way, limits: list[int]) -> Iterator[tuple[int, float]]:
    """PSNR of the linear decoder at each of `limits`, in bytes, ascending; `rgb` is uint8 (height,
    width, 3).
    """
    source = Source(order, analyse(to_planes(rgb, order.channels == 1)))
    known, left, sent = Knowledge(order), list(limits), 0.0
    static, chosen = iter(order.passes), Chosen(known, way.share)
    prior = prior_for(known)
    while left:
        step = chosen.next() if way.share else next(static, None)
        if step is None:
            return
        look = _look(known, prior.look(step), step)
        digits = source.digits(step)
        bits = look.bits[np.arange(len(digits)), digits + 1]
        first = np.arange(len(digits))
        if way.cells:
            first = np.argsort(-look.gain / look.entropy, kind="stable")
        until = sent + np.cumsum(bits[first])
        before = dequantise(known, step.band)
        known.add(step, digits)
        while left and left[0] * 8 <= until[-1]:
            there = first[: np.searchsorted(until, left[0] * 8, side="right")]
            yield left.pop(0), psnr(_drawn(known, step, before, there), rgb)
        sent = until[-1]


def _drawn(known: Knowledge, step: Pass, before: np.ndarray, there: np.ndarray) -> np.ndarray:
    """The picture where only the digits `there` of a pass are known already."""
    order = known.order
    each = len(order.bands) // order.channels
    found = [dequantise(known, i) for i in range(len(order.bands))]
    cells = order.grid(step.band).passes[step.parity][there]
    partial = before.copy().reshape(-1)
    partial[cells] = found[step.band].reshape(-1)[cells]
    found[step.band] = partial.reshape(before.shape)
    stacked = [np.stack([found[c * each + i] for c in range(order.channels)]) for i in range(each)]
    return to_rgb([*synthesise(stacked, order.height, order.width)])


def _look(known: Knowledge, seen: tuple[np.ndarray, Odds], step: Pass) -> Look:
    rows, odds = seen
    order, band = known.order, known.order.bands[step.band]
    chances = odds.frequencies / odds.frequencies[0].sum()
    lengths = -np.log2(chances)
    entropy = (chances * lengths).sum(1) + EACH
    each = len(order.bands) // order.channels
    weight = norms(order.height, order.width)[step.band % each].reshape(-1)
    cells = order.grid(step.band).passes[step.parity]
    gain = (1 - chances[rows, 1]) * order.model.step(band.channel, step.plane) ** 2 * weight[cells]
    return Look(gain, entropy[rows], lengths[rows])


class Chosen:
    """The pass next in its band that is expected to remove most squared error a bit."""

    def __init__(self, known: Knowledge, share: float) -> None:
        self.known, self.share = known, share
        order = known.order
        self._prior = prior_for(known)
        self._next = [
            [p for p in order.passes if p.band == i][::-1] for i in range(len(order.bands))
        ]
        self._scores = [0.0] * len(order.bands)
        self._stale = set(range(len(order.bands)))

    def next(self) -> Pass | None:
        """That pass, taken out; None if none is left."""
        order = self.known.order
        for band in self._stale:
            self._scores[band] = self._score(band)
        best = int(np.argmax(self._scores))
        if not self._next[best]:
            return None
        each = len(order.bands) // order.channels
        self._stale = {best, *(i for i, b in enumerate(order.bands) if b.parent == best)}
        if best < each:
            self._stale |= {best + c * each for c in range(order.channels)}
        return self._next[best].pop()

    def _score(self, band: int) -> float:
        if not self._next[band]:
            return -np.inf
        step = self._next[band][-1]
        look = _look(self.known, self._prior.look(step), step)
        adaptive = float(np.log2(look.gain.sum() / look.entropy.sum()))
        return self.share * adaptive + (1 - self.share) * self._static(step)

    def _static(self, step: Pass) -> float:
        """The model's own score, in the same unit: bits of squared error a bit."""
        band, score = self.known.order.bands[step.band], self.known.order.model.score
        at = band.channel, band.level, band.orientation
        return min(score(*at, plane, band.area) for plane in range(step.plane + 1)) / 256
