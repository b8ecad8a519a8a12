"""What surrounds each digit of a pass to its frequencies: tables, set right by a small network.

Three layers, weights of 16 bits, all sums exact: they are worked out in float64, where integers
below 2**53 are, in whatever order they are added. Its two results and the tables' logits add up to
the logit of zero, in steps of 1/8, and that of the expected sign, in steps of 1/4. These choose a
row of a table of frequencies: no exponential function is needed. docs/FORMAT.md, "The network", has
every number.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tokcodec.model import PLANES, SIGNS, TOTAL, ZEROS, Model, slot
from tokcodec.prior.inputs import Inputs
from tokcodec.prior.knowledge import Knowledge
from tokcodec.prior.likely import Table
from tokcodec.prior.tables import LOGIT_BITS
from tokcodec.tokens.layout import DIAGONAL, LOW, Band
from tokcodec.tokens.order import Pass

CHUNK = 1 << 15  # digits at once: 9 MB of features
WEIGHT_BITS = 10  # weights are in 1/1024,
INPUT_BITS = 6  # features in 1/64,
HIDDEN_BITS = 8  # hidden values in 1/256,
HIDDEN_TOP = (1 << 15) - 1  # up to 128,
ZERO_BITS, ZERO_AT = 3, 48  # the logit of zero in 1/8, from -6 to 10,
SIGN_BITS, SIGN_AT = 2, 24  # that of the sign in 1/4, from -6 to 6


class Network:
    """The prior of models with a network."""

    def __init__(self, known: Knowledge) -> None:
        self.known = known
        self._inputs = Inputs(known)
        self._layers = layers(known.order.model)
        self._table = table(known.order.model)

    def look(self, step: Pass) -> tuple[np.ndarray, Table]:
        """Row of the table for each digit of `step`: uint16 (*lead, step.digits)."""
        band = self.known.order.bands[step.band]
        features, mirror = self._inputs.look(step)
        flat = features.reshape(-1, features.shape[-1])
        logits = np.empty((2, len(flat)))
        for at in range(0, len(flat), CHUNK):
            logits[:, at : at + CHUNK] = self._logits(flat[at : at + CHUNK], band, step)
        zero, sign = logits.reshape(2, *mirror.shape)
        found = (zero + ZERO_AT) * SIGNS + SIGN_AT + sign * mirror
        return found.astype(np.uint16), self._table

    def _logits(self, features: np.ndarray, band: Band, step: Pass) -> np.ndarray:
        """The logits of zero, in 1/8, and of the sign, in 1/4: whole numbers (2, n)."""
        kind = kind_of(band)
        at = slot(band.level, band.orientation), min(step.plane, PLANES - 1), step.parity
        place = (band.channel, *at)
        first, unit, second, second_bias, last, last_bias = self._layers
        sums = features.astype(np.float64) @ first[kind]
        sums += unit[place]
        hidden = _scaled(sums, INPUT_BITS + WEIGHT_BITS - HIDDEN_BITS, 0, HIDDEN_TOP)
        sums = hidden @ second[kind]
        sums += second_bias[kind]
        hidden = _scaled(sums, WEIGHT_BITS, 0, HIDDEN_TOP)
        sums = hidden @ last[kind]
        sums += last_bias[place]
        sums += features[:, -2:] * np.float64(1 << WEIGHT_BITS + HIDDEN_BITS - LOGIT_BITS)
        zero, sign = sums.T
        bits = WEIGHT_BITS + HIDDEN_BITS - SIGN_BITS
        sign += 1 << bits - 1  # its steps are centred
        _scaled(zero, bits + SIGN_BITS - ZERO_BITS, -ZERO_AT, ZEROS - 1 - ZERO_AT)
        _scaled(sign, bits, -SIGN_AT, SIGN_AT)
        return sums.T


def _scaled(sums: np.ndarray, bits: int, least: int, most: int) -> np.ndarray:
    """Sums, whole numbers in float64, divided by 2**bits, rounded down and clipped, in place."""
    sums *= 1 / (1 << bits)
    np.floor(sums, out=sums)
    np.maximum(sums, least, out=sums)
    return np.minimum(sums, most, out=sums)


def kind_of(band: Band) -> int:
    """Which of the nine sets of layers a band uses: that of its channel and shape, which is the low
    band, one of edges, or the diagonal one.
    """
    shape = 0 if band.orientation == LOW else 2 if band.orientation == DIAGONAL else 1
    return 3 * shape + band.channel


@lru_cache(maxsize=16)
def layers(model: Model) -> tuple[np.ndarray, ...]:
    """The model's weights as float64, in the units of the sums that they take part in."""
    names = "first", "unit", "second", "second_bias", "last", "last_bias"
    found = [model.arrays[name].astype(np.float64) for name in names]
    found[1] *= 1 << INPUT_BITS
    return tuple(found)


@lru_cache(maxsize=16)
def table(model: Model) -> Table:
    """Frequencies of -1, 0, +1 by the indices of both logits."""
    zero = model.arrays["zero"].astype(np.int64)[:, None]
    plus = (TOTAL - zero) * model.arrays["plus"].astype(np.int64) >> 16
    frequencies = np.stack([TOTAL - zero - plus, np.broadcast_to(zero, plus.shape), plus], -1)
    return Table.of(frequencies.reshape(-1, 3))
