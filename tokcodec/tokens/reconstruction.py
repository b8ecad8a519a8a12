"""What is known of a picture's digits to the coefficients that they stand for."""

from __future__ import annotations

import numpy as np

from tokcodec.model import PLANES, Model, slot
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.layout import Band

CENTROID_UNIT = np.float32(1 / 32768)


def dequantise(knowledge: Knowledge, band: int) -> np.ndarray:
    """The coefficients (..., height, width), float32, that what is known of a band stands for."""
    order = knowledge.order
    values = residual(knowledge, band)
    if order.base is not None:
        step = order.model.step(order.bands[band].channel, order.planes[band] - 1)
        values += order.base.values[band] * np.float32(step)
    return values


def residual(knowledge: Knowledge, band: int) -> np.ndarray:
    """As `dequantise`, of the digits alone: without the base that they are added to, if any."""
    order = knowledge.order
    b, inside, plane = order.bands[band], knowledge.values(band), knowledge.plane[band]
    if inside is None:
        return np.zeros((*knowledge.lead, b.height, b.width), np.float32)
    values = reconstruct(order.model, b, inside, plane)
    late = knowledge.late(band)
    if len(late):
        flat = values.reshape(*values.shape[:-2], -1)
        before = inside.reshape(flat.shape)[..., late] // np.int32(3)
        flat[..., late] = reconstruct(order.model, b, before, plane - 1) if plane else np.float32(0)
    return values


def planes_known(knowledge: Knowledge, band: int) -> float:
    """How many planes of a band are known; the latest, if only part of its digits are in, counts as
    that fraction. A base that knows more planes adds them, times the share of the picture that it
    stands for.
    """
    b, base = knowledge.order.bands[band], knowledge.order.base
    found = 0.0
    if knowledge.plane[band] >= 0:
        found = knowledge.plane[band] + knowledge.seen(band) / (b.height * b.width)
    if base is not None:
        found += base.share * max(0.0, base.planes[band] - found)
    return found


def reconstruct(model: Model, band: Band, q: np.ndarray, plane: int) -> np.ndarray:
    """Integers of `plane` to coefficients, at the centroids of training: float32, same shape.

    A magnitude of one was found in this plane; larger ones were refined. The model holds, for each,
    how far below the middle of the step the mean lies.
    """
    first, later = (np.float32(c) * CENTROID_UNIT for c in centroids(model, band, plane))
    return centred(q, first, later, np.float32(model.step(band.channel, plane)))


def centroids(model: Model, band: Band, plane: int) -> tuple[int, int]:
    """How far the mean lies below the middle of a step, in 1/32768 of it: for magnitude 1, for
    larger ones.
    """
    at = band.channel, slot(band.level, band.orientation), min(plane, PLANES - 1)
    first, later = model.arrays["centroids"][at].tolist()
    return first, later


def centred(
    q: np.ndarray,
    first: np.ndarray | np.float32,
    later: np.ndarray | np.float32,
    step: np.ndarray | np.float32,
) -> np.ndarray:
    """Integers in steps of `step` to coefficients, float32: magnitudes of one lie `first` below,
    larger ones `later`, in steps.
    """
    values = q.astype(np.float32)
    magnitude = np.abs(values)
    shrink = np.where(magnitude > 1, later, first)
    np.subtract(magnitude, shrink, out=magnitude, where=magnitude > 0)
    magnitude *= step
    return np.copysign(magnitude, values)
