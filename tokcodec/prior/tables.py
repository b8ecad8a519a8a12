"""A model's arrays to the look-up tables of one pass over one unit."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tokcodec.model import AGES, MAGNITUDE_BINS, PLANES, SIGN_BINS, TOTAL, TOTAL_BITS, Model, slot
from tokcodec.prior.maps import scalar

MAGNITUDE_LUT = 256  # cells; a cell is 1/64 of a step
SIGN_LUT = 64  # cells each side of zero
SIGNED_BINS = 2 * SIGN_BINS - 1
FRESH = MAGNITUDE_BINS * SIGNED_BINS  # rows before those of digits that refine
AGE_SPAN = 15  # |q| at which a coefficient has surely been significant for three planes

ONE_BITS = 10  # digits are counted in 1/1024
LOGIT_BITS = 6  # logits are in 1/64,
LOGIT_TOP = 800  # within +-12.5
NAT = 44  # 64 ln 2, rounded down


class PassTables(NamedTuple):
    """All that turns the neighbourhood of a digit into its frequencies."""

    # Of across, down, diagonal neighbours; parent; around the parent; luma: each as `maps.scalar`.
    magnitude_weights: tuple[np.ndarray, ...]
    sign_weights: tuple[np.ndarray, ...]  # across, down, diagonal neighbours; luma
    magnitude_lut: np.ndarray  # clipped weighted sum -> first row of its bin
    sign_lut: np.ndarray  # weighted sum, SIGN_LUT being zero -> bin
    frequencies: np.ndarray  # (rows, 3) int64, each row summing to 2**24: digits -1, 0, +1
    weights: np.ndarray  # the same less one, as float64: what the range coder is handed
    unlikely: np.ndarray  # how many digits other than zero are expected, in 1/1024: int64 (rows,)
    logits: tuple[np.ndarray, np.ndarray]  # of 0 against others, of +1 against -1: int16 (rows,)


def _age_lut() -> np.ndarray:
    """Rows of refining digits by value: age 1, 2, 3 planes since the first non-zero digit, for +
    and then for -. They come after all others; for values of zero it is 0.
    """
    q = np.arange(-AGE_SPAN, AGE_SPAN + 1)
    age = np.searchsorted([3 + 1, 12 + 1], np.abs(q))  # |q| = 3 | 6..12 | 15..
    return np.where(q == 0, 0, FRESH + age + np.where(q < 0, AGES, 0)).astype(np.int16)


AGE_LUT = _age_lut()  # clipped coefficient, AGE_SPAN being zero -> row of a refining digit


@lru_cache(maxsize=4096)
def pass_tables(
    model: Model, channel: int, level: int, orientation: int, plane: int, parity: int
) -> PassTables:
    """The tables for one pass (`parity` 0: even cells, 1: odd cells) over one unit."""
    at = (channel, slot(level, orientation), min(plane, PLANES - 1), parity)
    a = model.arrays
    magnitude_lut = (
        np.searchsorted(a["magnitude_edges"][at], np.arange(MAGNITUDE_LUT), side="right")
        * SIGNED_BINS
    )
    side = np.searchsorted(a["sign_edges"][at], np.arange(SIGN_LUT + 1), side="right")
    sign_lut = SIGN_BINS - 1 + np.concatenate([-side[:0:-1], side])
    counted = a["frequencies"][at].astype(np.int64)
    counted = np.stack([counted[:, 0], counted[:, 1], TOTAL - counted.sum(1)], 1)  # (ROWS, 3)
    fresh = counted[: MAGNITUDE_BINS * SIGN_BINS].reshape(MAGNITUDE_BINS, SIGN_BINS, 3)
    # A negative expectation mirrors a positive one.
    fresh = np.concatenate([fresh[:, :0:-1, ::-1], fresh], 1)
    aged = counted[MAGNITUDE_BINS * SIGN_BINS :]
    frequencies = np.concatenate([fresh.reshape(-1, 3), aged, aged[:, ::-1]])
    return PassTables(
        tuple(map(scalar, a["magnitude_weights"][at].tolist())),
        tuple(map(scalar, a["sign_weights"][at].tolist())),
        magnitude_lut.astype(np.int16),
        sign_lut.astype(np.int16),
        frequencies,
        (frequencies - 1).astype(np.float64),
        TOTAL - frequencies[:, 1] >> TOTAL_BITS - ONE_BITS,
        _logits(frequencies),
    )


def _logits(frequencies: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of 0 against others, of +1 against -1, in 1/64."""
    minus, zero, plus = frequencies.T
    found = _ln(zero) - _ln(TOTAL - zero), _ln(plus) - _ln(minus)
    return tuple(np.clip(f, -LOGIT_TOP, LOGIT_TOP).astype(np.int16) for f in found)


def _ln(v: np.ndarray) -> np.ndarray:
    """About 64 ln v, for 0 < v < 2**24: 44 b + floor(44 (v / 2**b - 1)) with the leading bit's b,
    v / 2**b in 1/65536, rounded down.
    """
    bits = np.frexp(v)[1].astype(np.int64) - 1
    return NAT * bits + (NAT * ((v << 16 >> bits) - (1 << 16)) >> 16)
