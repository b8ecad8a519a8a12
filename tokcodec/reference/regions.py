"""Regions of a picture to the coefficients that lie in them, and what to take away in each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokcodec.reference.field import FINEST, Field, regions
from tokcodec.tokens.layout import Band
from tokcodec.tokens.order import Order

MAX_REGIONS = 512  # regions of the finest choice
BORDER = 1.5  # bits that a region costs for each neighbour of another weight, about
SWEEPS = 3


def cells(order: Order, band: Band, log_side: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of regions in which a band's rows and columns lie, by their middles."""
    y = (2 * np.arange(band.height) + 1) * order.height // (2 * band.height)
    x = (2 * np.arange(band.width) + 1) * order.width // (2 * band.width)
    return y >> log_side, x >> log_side


def halves(order: Order, band: Band, field: Field) -> np.ndarray:
    """How many halves of the reference each coefficient takes, 0..2: int64 (height, width)."""
    y, x = cells(order, band, field.log_side)
    return field.weights[np.ix_(y, x)].astype(np.int64)


def finest(order: Order) -> int:
    """log2 of the side of the smallest regions that are not more than `MAX_REGIONS`."""
    log_side = FINEST
    while np.prod(regions(order.height, order.width, log_side)) > MAX_REGIONS:
        log_side += 1
    return log_side


def costs(
    order: Order,
    coefficients: Sequence[np.ndarray],
    values: Sequence[np.ndarray],
    step: float,
    log_side: int,
) -> np.ndarray:
    """About how many bits each region takes with each weight: (3, rows, columns).

    Args:
        coefficients, values: the picture and the reference, by band; the latter as integers.
        step: of the orthonormal transform, below which a coefficient costs next to nothing.
    """
    shape = regions(order.height, order.width, log_side)
    total = np.zeros((3, shape[0] * shape[1]))
    for i, band in enumerate(order.bands):
        last = np.float32(order.model.step(band.channel, order.planes[i] - 1))
        scale = np.float32(2.0 ** (band.area / 2) / step)
        picture, known = coefficients[i] * scale, values[i] * (last * scale)
        y, x = cells(order, band, log_side)
        at = (y[:, None] * shape[1] + x).ravel()
        for weight in range(3):
            left = picture - known * np.float32(weight / 2)
            bits = np.log2(1 + np.square(left)).ravel() / 2
            total[weight] += np.bincount(at, bits, total.shape[1])
    return total.reshape(3, *shape)


def coarser(found: np.ndarray) -> np.ndarray:
    """The costs of regions twice as large."""
    _, h, w = found.shape
    even = np.pad(found, ((0, 0), (0, h % 2), (0, w % 2)))
    return even.reshape(3, -(-h // 2), 2, -(-w // 2), 2).sum((2, 4))


def cheapest(found: np.ndarray) -> np.ndarray:
    """Weights, int8 (rows, columns), of the least cost, with smooth borders: each region looks at
    its neighbours in turn (iterated conditional modes; Besag, 1986).
    """
    weights = found.argmin(0)
    dark = np.indices(weights.shape).sum(0) % 2 == 0
    for _ in range(SWEEPS):
        for half in (dark, ~dark):
            padded = np.pad(weights, 1, constant_values=-1)
            near = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
            borders = [sum((n != w) & (n >= 0) for n in near) for w in range(3)]
            best = (found + BORDER * np.stack(borders)).argmin(0)
            weights = np.where(half, best, weights)
    return weights.astype(np.int8)
