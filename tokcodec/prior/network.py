"""What surrounds each digit of a pass to its frequencies: tables, set right by a small network.

Three layers, weights of 16 bits, all sums exact: they are worked out in float64, where integers
below 2**53 are, in whatever order they are added. Its two results and the tables' logits add up to
the logit of zero, in steps of 1/8, and that of the expected sign, in steps of 1/4. These choose a
row of a table of frequencies: no exponential function is needed. docs/FORMAT.md, "The network", has
every number.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from tokcodec.model import PLANES, SIGNS, ZEROS, Model, by_logits, slot
from tokcodec.prior.inputs import Inputs
from tokcodec.prior.interface import Table
from tokcodec.prior.tables import LOGIT_BITS
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.layout import DIAGONAL, LOW, Band
from tokcodec.tokens.order import Pass

CHUNK = 1 << 15  # digits at once: 11 MB of features
WEIGHT_BITS = 10  # weights are in 1/1024,
INPUT_BITS = 6  # features in 1/64,
HIDDEN_BITS = 8  # hidden values in 1/256,
HIDDEN_TOP = (1 << 15) - 1  # up to 128,
ZERO_BITS, ZERO_AT = 3, 48  # the logit of zero in 1/8, from -6 to 10,
SIGN_BITS, SIGN_AT = 2, 24  # that of the sign in 1/4, from -6 to 6
_MIN_LOGITS = np.array([[0], [-SIGN_AT]], np.float64)  # of the steps of both
_MAX_LOGITS = np.array([[ZEROS - 1], [SIGN_AT]], np.float64)


class Network:
    """The prior of models with a network."""

    def __init__(self, known: Knowledge) -> None:
        self.known = known
        self._inputs = Inputs(known)
        self._layers = layers(known.order.model)
        self._table = table(known.order.model)

    def look(self, step: Pass) -> tuple[np.ndarray, Table]:
        """Row of the table for each digit of `step`: uint16 (*lead, step.digits)."""
        features, mirror = self._inputs.look(step)
        rows = np.empty(mirror.shape, np.uint16)
        chunk = max(1, CHUNK // prod(self.known.lead))
        for at in range(0, step.digits, chunk):
            here = slice(at, at + chunk)
            zero, sign = self._logits(features[..., here], step)
            rows[..., here] = zero * SIGNS + (sign * mirror[..., here] + SIGN_AT)
        return rows, self._table

    def _logits(self, features: np.ndarray, step: Pass) -> tuple[np.ndarray, np.ndarray]:
        """The logits of zero, in 1/8, from 0 on, and of the sign, in 1/4: whole numbers
        (*lead, n).
        """
        band = self.known.order.bands[step.band]
        at = slot(band.level, band.orientation), min(step.plane, PLANES - 1), step.parity
        kind, place = kind_of(band), (band.channel, *at)
        first, unit, second, second_bias, last, last_bias, given = self._layers
        sums = first[kind] @ features.astype(np.float64)
        sums += unit[place]
        sums = second[kind] @ _rounded(sums, 0, HIDDEN_TOP)
        sums += second_bias[kind]
        sums = last[kind] @ _rounded(sums, 0, HIDDEN_TOP)
        sums += last_bias[place]
        sums += given * features[..., -2:, :]
        logits = _rounded(sums, _MIN_LOGITS, _MAX_LOGITS)
        return logits[..., 0, :], logits[..., 1, :]


def _rounded(sums: np.ndarray, least: np.ndarray | int, most: np.ndarray | int) -> np.ndarray:
    """Rounded down and clipped, in place."""
    np.floor(sums, out=sums)
    np.maximum(sums, least, out=sums)
    return np.minimum(sums, most, out=sums)


def kind_of(band: Band) -> int:
    """Which of the nine sets of layers a band uses: that of its channel and shape, which is the low
    band, one of edges, or the diagonal one.
    """
    shape = 0 if band.orientation == LOW else 2 if band.orientation == DIAGONAL else 1
    return 3 * shape + band.channel


class Layers(NamedTuple):
    """A model's weights as float64, divided by the powers of two that its sums are divided by, so
    that these only have to be rounded: as exact as integers. Columns are inputs.
    """

    first: np.ndarray  # (KINDS, 64, FEATURES)
    unit: np.ndarray  # (..., 64, 1)
    second: np.ndarray  # (KINDS, 32, 64)
    second_bias: np.ndarray  # (KINDS, 32, 1)
    last: np.ndarray  # (KINDS, 2, 32)
    last_bias: np.ndarray  # (..., 2, 1), with what puts the lowest logit of zero at zero
    given: np.ndarray  # (2, 1), of the tables' logits


@lru_cache(maxsize=16)
def layers(model: Model) -> Layers:
    """The model's weights."""
    first, unit, second, second_bias, last, last_bias = (
        model.arrays[name].astype(np.float64)
        for name in ("first", "unit", "second", "second_bias", "last", "last_bias")
    )
    sums = 1 << INPUT_BITS + WEIGHT_BITS - HIDDEN_BITS
    logits = np.array([1 << WEIGHT_BITS + HIDDEN_BITS - bits for bits in (ZERO_BITS, SIGN_BITS)])
    start = np.array([ZERO_AT * logits[0], logits[1] // 2])  # steps of the sign are centred
    return Layers(
        _columns(first / sums),
        (unit * (1 << INPUT_BITS) / sums)[..., None],
        _columns(second / (1 << WEIGHT_BITS)),
        (second_bias / (1 << WEIGHT_BITS))[..., None],
        _columns(last / logits),
        ((last_bias + start) / logits)[..., None],
        ((1 << WEIGHT_BITS + HIDDEN_BITS - LOGIT_BITS) / logits)[:, None],
    )


def _columns(weights: np.ndarray) -> np.ndarray:
    """With rows and columns exchanged, (..., outputs, inputs)."""
    return np.ascontiguousarray(weights.swapaxes(-1, -2))


@lru_cache(maxsize=16)
def table(model: Model) -> Table:
    """Frequencies of -1, 0, +1 by the indices of both logits."""
    return Table.of(by_logits(model.arrays).reshape(-1, 3))
