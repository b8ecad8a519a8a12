"""Values of a band's coefficients to maps of what is around each cell; integers throughout.

Arrays are (*lead, height, width); *bordered* ones have one cell more on each side.
"""

from __future__ import annotations

import numpy as np

FINE = 4  # quarters of a step
CAP = 12 * FINE


def _lg(size: int) -> np.ndarray:
    v = np.arange(1, size + 1)
    bits = np.frexp(v)[1] - 1  # of the leading one: exact
    return (16 * bits + (v * 16 >> bits) - 16).astype(np.int16)


_LG = _lg(1 << 12)


def lg(v: np.ndarray) -> np.ndarray:
    """About 16 log2(1 + v) for v >= 0, exactly: 16 b + floor(16 (1 + v) / 2**b) - 16, where b is
    the number of bits of 1 + v less one; v counts as 4,095 at most. int16, same shape.
    """
    return _LG.take(v, mode="clip")


def signed_lg(v: np.ndarray) -> np.ndarray:
    """`lg` of the magnitude, with the sign of v."""
    return lg(np.abs(v)) * np.sign(v).astype(np.int16)


def seen_from(q: np.ndarray, planes: int) -> np.ndarray:
    """`q` in quarters of a step `planes` planes finer (coarser, if negative), within +-`CAP`;
    halves go outward.
    """
    if planes >= 0:
        unit = np.int32(FINE * 3 ** min(planes, 4))  # at four planes every value is beyond the cap
        return clipped(clipped(q, CAP) * unit, CAP)
    unit = np.int32(3 ** min(-planes, 16))
    limit = CAP * unit // np.int32(FINE) + np.int32(1)
    near = (np.minimum(np.abs(q), limit) * np.int32(FINE) + unit // 2) // unit
    return np.minimum(near, CAP) * np.sign(q)


def clipped(a: np.ndarray, limit: int) -> np.ndarray:
    """Within +-limit."""
    return np.minimum(np.maximum(a, np.int32(-limit)), np.int32(limit))


def inner(a: np.ndarray) -> np.ndarray:
    """Without the border."""
    return a[..., 1:-1, 1:-1]


def bordered(a: np.ndarray) -> np.ndarray:
    """With zeros around."""
    out = np.zeros((*a.shape[:-2], a.shape[-2] + 2, a.shape[-1] + 2), a.dtype)
    out[..., 1:-1, 1:-1] = a
    return out


def extended(a: np.ndarray) -> np.ndarray:
    """With the outermost cells again in place of the border."""
    out = a.copy()
    out[..., 0, :], out[..., -1, :] = out[..., 1, :], out[..., -2, :]
    out[..., 0], out[..., -1] = out[..., 1], out[..., -2]
    return out


def box(a: np.ndarray) -> np.ndarray:
    """Sums over 3 x 3 cells of a bordered array."""
    rows = a[..., :-2, :] + a[..., 1:-1, :] + a[..., 2:, :]
    return rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]


def around(a: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums over the two neighbours across, the two down, the four at the corners."""
    pair = a[..., :-2] + a[..., 2:]
    down = a[..., :-2, 1:-1] + a[..., 2:, 1:-1]
    return pair[..., 1:-1, :], down, pair[..., :-2, :] + pair[..., 2:, :]


def mean(a: np.ndarray) -> np.ndarray:
    """Mean of non-negative values over the band, in 1/64, rounded down: (*lead, 1, 1)."""
    total = a.sum((-2, -1), dtype=np.int64, keepdims=True)
    return total * 64 // (a.shape[-2] * a.shape[-1])
