"""Photographs to the digits of their streams, each with what surrounds it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tokcodec.model import FEATURES, PLANES, SLOTS, Model, slot
from tokcodec.pixels.colour import to_planes
from tokcodec.prior import prior_for
from tokcodec.prior.inputs import Inputs
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.layout import Band
from tokcodec.tokens.order import Pass, order_for
from tokcodec.tokens.quantiser import Source
from tokcodec.tokens.transform import analyse

UNITS = 3 * SLOTS * PLANES * 2  # channel, slot, plane, parity
UNIT, DIGIT = FEATURES, FEATURES + 1  # columns after the features
KEPT = 800  # digits of a pass, of `TOGETHER` pictures, or
ONE_IN = 64  # one in so many, if that is more
TOGETHER = 8
DEEPEST = 2.0  # bits a pixel: later digits are left out
HEADER = 12.0  # bytes: what comes first counts as if this were sent before


class Digits(NamedTuple):
    """Samples of digits."""

    rows: np.ndarray  # int16 (n, FEATURES + 2): features, unit, mirrored digit
    share: np.ndarray  # float32 (n,): how much each counts; every doubling of bytes counts alike
    bits: np.ndarray  # float32 (n,): what the digit costs by the prior of the model
    sent: np.ndarray  # float32 (n,): bytes of the picture before it


def digits_of(
    model: Model, batches: list[np.ndarray], seed: int = 0, progress: bool = False
) -> Digits:
    """Digits of photographs (uint8, batches (n, height, width, 3)) in the model's order."""
    rng = np.random.default_rng(seed)
    parts = [b[i : i + TOGETHER] for b in batches for i in range(0, len(b), TOGETHER)]
    found = [_walk(model, part, rng) for part in tqdm(parts, disable=not progress, desc="digits")]
    return Digits(*(np.concatenate(column) for column in zip(*found, strict=True)))


def unit_of(band: Band, step: Pass) -> int:
    """Number of a pass's unit and parity, 0..UNITS - 1."""
    place = band.channel * SLOTS + slot(band.level, band.orientation)
    return (place * PLANES + min(step.plane, PLANES - 1)) * 2 + step.parity


def _walk(model: Model, batch: np.ndarray, rng: np.random.Generator) -> Digits:
    """Through pictures of one size, in the model's order."""
    count, height, width, _ = batch.shape
    order = order_for(model, height, width, 3)
    source = Source(order, analyse(to_planes(batch, grey=False)))
    known = Knowledge(order, (count,))
    prior, inputs = prior_for(known), Inputs(known)
    sent, out = 0.0, []
    for step in order.passes:
        rows, table = prior.look(step)
        seen = inputs.look(step)
        digits = source.digits(step)
        chance = table.frequencies[rows, digits + 1] / table.frequencies[0].sum()
        bits = -np.log2(chance).astype(np.float32)
        chosen = np.arange(digits.size)
        kept = max(KEPT, digits.size // ONE_IN)
        if digits.size > kept:
            chosen = rng.choice(digits.size, kept, replace=False)
        found = np.empty((len(chosen), FEATURES + 2), np.int16)
        found[:, :FEATURES] = np.moveaxis(seen.features, -2, -1).reshape(-1, FEATURES)[chosen]
        found[:, UNIT] = unit_of(order.bands[step.band], step)
        found[:, DIGIT] = (digits * seen.mirror).ravel()[chosen]
        share = (
            digits.size / len(chosen) / (sent + HEADER * max(1.0, height * width / 65536) ** 0.5)
        )
        one = np.ones(len(chosen), np.float32)
        out.append(Digits(found, one * share, bits.ravel()[chosen], one * sent))
        sent += float(bits.sum()) / 8 / count
        known.add(step, digits)
        if sent * 8 > DEEPEST * height * width:
            break
    return Digits(*(np.concatenate(column) for column in zip(*out, strict=True)))
