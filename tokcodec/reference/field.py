"""The header's field of the reference: which one it is, and where how much of it is taken away."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from tokcodec.coder.range import Reader, Writer
from tokcodec.errors import DamagedHeaderError
from tokcodec.model import TOTAL
from tokcodec.prior.interface import Table

HASH = 4  # bytes
FINEST, COARSEST = 3, 16  # log2 of a region's side
MAX_FIELD = 240  # bytes: the whole extension has at most 255
_NEAR = 6  # how much more likely a region is taken as the one beside it, or above
_OUTSIDE = 3  # stands for a neighbour beyond the edge


class Field(NamedTuple):
    """Which reference a picture is told against, and how much of it in each region.

    Attributes:
        hash: four bytes of the reference's hash.
        log_side: regions are squares of 2**log_side pixels.
        weights: int8 (rows, columns): 0, 1 or 2 halves of the reference are taken away there.
    """

    hash: bytes
    log_side: int
    weights: np.ndarray

    def data(self) -> bytes:
        """The field's data: hash, side, and a code string of the weights."""
        rows = [_row(self.weights, at) for at in np.ndindex(*self.weights.shape)]
        writer = Writer()
        writer.write(self.weights.ravel() - np.int8(1), np.array(rows), _odds().weights)
        return self.hash + bytes((self.log_side,)) + writer.finish()

    @classmethod
    def parse(cls, data: bytes, height: int, width: int) -> Field:
        """The field of a picture of that size.

        Raises:
            DamagedHeaderError: it is too short, or says nothing that an encoder would say.
        """
        if len(data) <= HASH or not FINEST <= data[HASH] <= COARSEST:
            raise DamagedHeaderError("the header's field of the reference is damaged")
        rows, columns = regions(height, width, data[HASH])
        if rows * columns > MAX_FIELD * 64:  # more than a field has room for
            raise DamagedHeaderError("the header's field of the reference is damaged")
        weights = np.zeros((rows, columns), np.int8)
        reader = Reader(data[HASH + 1 :], weights.size)
        for at in np.ndindex(*weights.shape):
            digit = reader.read(np.array([_row(weights, at)]), _odds().weights)
            if not len(digit):
                raise DamagedHeaderError("the header's field of the reference ends too early")
            weights[at] = digit[0] + 1
        return cls(data[:HASH], data[HASH], weights)


def regions(height: int, width: int, log_side: int) -> tuple[int, int]:
    """Rows and columns of regions."""
    return -(-height >> log_side), -(-width >> log_side)


def _row(weights: np.ndarray, at: tuple[int, ...]) -> int:
    """Row of `_odds` for a region, by its neighbours to the left and above."""
    y, x = at
    left = int(weights[y, x - 1]) if x else _OUTSIDE
    above = int(weights[y - 1, x]) if y else _OUTSIDE
    return 4 * left + above


@cache
def _odds() -> Table:
    rows = []
    for left in range(4):
        for above in range(4):
            shares = [1 + _NEAR * ((left == w) + (above == w)) for w in range(3)]
            low, middle = (TOTAL * s // sum(shares) for s in shares[:2])
            rows.append((low, middle, TOTAL - low - middle))
    return Table.of(np.array(rows, np.int64))
