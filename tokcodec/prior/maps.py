"""Values of a band's coefficients to maps of what is around each cell; integers throughout.

Maps are (*lead, grid.cells), flat, with a border of zeros, as `tokens.layout.Grid` has them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tokcodec.tokens.layout import Grid

FINE = 4  # quarters of a step
CAP = 12 * FINE
_MAX_VALUE = 4095


def _lg(size: int) -> np.ndarray:
    v = np.arange(1, size + 1)
    bits = np.frexp(v)[1] - 1  # of the leading one: exact
    return (16 * bits + (v * 16 >> bits) - 16).astype(np.int16)


_LG = _lg(_MAX_VALUE + 1)
_SIGNED_LG = np.concatenate([_LG, -_LG[:0:-1]])  # negative values count from the end


@lru_cache(maxsize=4096)
def scalar(value: int) -> np.ndarray:
    """An int32 for sums with arrays, itself one without axes: numpy adds those fastest."""
    return np.array(value, np.int32)


def lg(v: np.ndarray) -> np.ndarray:
    """About 16 log2(1 + v) for v >= 0, exactly: 16 b + floor(16 (1 + v) / 2**b) - 16, where b is
    the number of bits of 1 + v less one; v counts as 4,095 at most. int16, same shape.
    """
    return _LG.take(v, mode="clip")


def signed_lg(v: np.ndarray) -> np.ndarray:
    """`lg` of the magnitude, with the sign of v; for values within +-4,095."""
    return _SIGNED_LG.take(v)


def seen_from(q: np.ndarray, planes: int, cap: int = CAP) -> np.ndarray:
    """`q` in quarters of a step `planes` planes finer (coarser, if negative), within +-`cap`, which
    is a number of steps; halves go outward.
    """
    if planes >= 0:
        unit = FINE * 3 ** min(planes, 4)  # at four planes every value is beyond the cap
        most = -(-cap // unit)
        near = clipped(q, most)
        near *= scalar(unit)
        return near if most * unit == cap else clipped(near, cap, out=near)
    unit = 3 ** min(-planes, 16)
    near = clipped(q, cap * unit // FINE)
    near *= scalar(FINE)
    near += scalar(unit // 2)  # units are odd: there are no halves
    near //= scalar(unit)
    return near


def clipped(a: np.ndarray, limit: int, out: np.ndarray | None = None) -> np.ndarray:
    """Within +-limit; in `out` if it is given."""
    out = np.maximum(a, scalar(-limit), out=out)
    return np.minimum(out, scalar(limit), out=out)


def box(a: np.ndarray, grid: Grid) -> np.ndarray:
    """Sums over 3 x 3 cells."""
    s = grid.stride
    rows = a[..., :-2] + a[..., 1:-1]
    rows += a[..., 2:]
    out = np.zeros(a.shape, a.dtype)
    core = out[..., grid.core]
    np.add(rows[..., : -2 * s], rows[..., s:-s], out=core)
    core += rows[..., 2 * s :]
    edges = out[..., s - 1 : -1].reshape(*a.shape[:-1], grid.height + 1, s)
    edges[..., :2] = 0  # the last of a row, the first of the next
    return out


def extend(a: np.ndarray, grid: Grid) -> None:
    """Put the outermost cells again in place of the border."""
    square = a.reshape(*a.shape[:-1], grid.height + 2, grid.stride)
    square[..., 0, :], square[..., -1, :] = square[..., 1, :], square[..., -2, :]
    square[..., 0], square[..., -1] = square[..., 1], square[..., -2]


def mean(a: np.ndarray, grid: Grid) -> np.ndarray:
    """`lg` of the mean of non-negative values in 1/64, rounded down: int16 (*lead,)."""
    return lg(a.sum(-1) * 64 // (grid.height * grid.width))
