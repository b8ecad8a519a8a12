"""Colour planes to the digits of the `pyramid` tokenizer, and what is known of the digits back to
planes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tokcodec.model import Model
from tokcodec.tokens import wavelet
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.layout import ACROSS, DIAGONAL, DOWN, Band
from tokcodec.tokens.order import Order, Pass

CENTROID_UNIT = np.float32(1 / 32768)
Halving = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]  # on axis -2
SMALL = 1 << 18  # pixels up to which all channels are transformed together


def _columns(x: np.ndarray) -> np.ndarray:
    return x.swapaxes(-1, -2)


def analyse(planes: np.ndarray) -> list[np.ndarray]:
    """Planes (channels, height, width), float32, to their bands in the order of `layout.bands`.

    Bands have shape (height, width); leading axes before `channels` are carried along.
    """
    if planes[..., 0, :, :].size <= SMALL:  # all channels at once: fewer, longer operations
        stacked = split_all(planes)
        return [b[..., c, :, :] for c in range(planes.shape[-3]) for b in stacked]
    return [b for c in range(planes.shape[-3]) for b in split_all(planes[..., c, :, :])]


def split_all(low: np.ndarray, halve: Halving = wavelet.split) -> list[np.ndarray]:
    """Planes (..., height, width) to their bands (..., h, w), coarsest first: the inverse of
    `synthesise`, if `halve` is that of `wavelet.merge`.
    """
    fine = []
    for level in wavelet.levels(*low.shape[-2:]):
        found: dict[int, np.ndarray] = {}
        if level.split_cols and level.split_rows:
            left, right = (_columns(half) for half in halve(_columns(low)))
            low, found[DOWN] = halve(left)
            found[ACROSS], found[DIAGONAL] = halve(right)
        elif level.split_cols:
            low, found[ACROSS] = (_columns(half) for half in halve(_columns(low)))
        else:
            low, found[DOWN] = halve(low)
        fine.append([found[o] for o in sorted(found)])
    return [low, *(band for group in reversed(fine) for band in group)]


def synthesise(
    coefficients: list[np.ndarray], height: int, width: int, skip: int = 0
) -> np.ndarray:
    """Bands (..., h, w) of one channel or of several stacked, in `analyse`'s order, to the planes
    (..., height, width), or to their low bands `skip` levels down.
    """
    levels = wavelet.levels(height, width)
    rest = iter(coefficients)
    low = next(rest)
    for level in reversed(levels[skip:]):
        if level.split_cols and level.split_rows:
            across, down, diagonal = next(rest), next(rest), next(rest)
            left, right = wavelet.merge(low, down), wavelet.merge(across, diagonal)
            low = _columns(wavelet.merge(_columns(left), _columns(right)))
        elif level.split_cols:
            low = _columns(wavelet.merge(_columns(low), _columns(next(rest))))
        else:
            low = wavelet.merge(low, next(rest))
    return low


class Source:
    """The true digits of a picture, computed band by band when first asked for. Each can be asked
    for once, in coding order; `coder.codestring.Script` remembers them.
    """

    def __init__(self, order: Order, coefficients: list[np.ndarray]) -> None:
        self.order = order
        self.coefficients = coefficients
        self._rest: dict[
            tuple[int, int], np.ndarray
        ] = {}  # what the digits so far leave, in last steps

    def digits(self, step: Pass) -> np.ndarray:
        """The digits of a pass, int8 (..., step.digits). Passes over a band must be asked for in
        order, once.
        """
        rest = self.rest(step)
        unit = np.int32(3 ** (self.order.planes[step.band] - 1 - step.plane))
        digits = np.sign(rest) * (np.abs(rest) > unit // 2)
        rest -= digits * unit
        return digits.astype(np.int8)

    def first(self, count: int) -> np.ndarray:
        """The first `count` digits of the picture, or all, int8 (n,), of which none was asked for
        yet.
        """
        found, left = [np.zeros(0, np.int8)], count
        for step in self.order.passes:
            if left <= 0:
                break
            found.append(self.digits(step)[:left])
            left -= len(found[-1])
        return np.concatenate(found)

    def rest(self, step: Pass) -> np.ndarray:
        """What the digits asked for so far leave of the coefficients of a pass, int32, in steps of
        the last plane.
        """
        if (step.band, step.parity) not in self._rest:
            self._quantise(step.band)
        return self._rest[step.band, step.parity]

    def _quantise(self, band: int) -> None:
        model, planes = self.order.model, self.order.planes[band]
        channel = self.order.bands[band].channel
        q = quantise(self.coefficients[band], model.step(channel, planes - 1), planes)
        flat = q.reshape(*q.shape[:-2], -1)
        for parity, cells in enumerate(self.order.grid(band).passes):
            self._rest[band, parity] = flat.take(cells, axis=-1)


def quantise(coefficients: np.ndarray, step: float, planes: int) -> np.ndarray:
    """Nearest multiple of `step`, int32, within what `planes` ternary digits can say."""
    limit = np.float32((3**planes - 1) // 2)
    q = np.rint(coefficients / np.float32(step))
    return np.clip(q, -limit, limit).astype(np.int32)


def dequantise(knowledge: Knowledge, band: int) -> np.ndarray:
    """The coefficients (..., height, width), float32, that what is known of a band stands for."""
    order = knowledge.order
    values = residual(knowledge, band)
    if order.base is not None:
        step = order.model.step(order.bands[band].channel, order.planes[band] - 1)
        values += order.base.values[band] * np.float32(step)
    return values


def residual(knowledge: Knowledge, band: int) -> np.ndarray:
    """The same without what the digits are added to."""
    order = knowledge.order
    b, grid, q, plane = (
        order.bands[band],
        order.grid(band),
        knowledge.q.get(band),
        knowledge.plane[band],
    )
    if q is None:
        return np.zeros((*knowledge.lead, b.height, b.width), np.float32)
    inside = q.reshape(*q.shape[:-1], b.height + 2, b.width + 2)[..., 1:-1, 1:-1]
    values = reconstruct(order.model, b, inside, plane)
    seen = knowledge.seen(band)
    if seen < b.height * b.width:  # the cells that the cut leaves at the plane before
        flat = values.reshape(*values.shape[:-2], -1)
        late = np.concatenate(grid.passes)[seen:]
        before = inside.reshape(flat.shape)[..., late] // np.int32(3)
        flat[..., late] = reconstruct(order.model, b, before, plane - 1) if plane else np.float32(0)
    return values


def planes_known(knowledge: Knowledge, band: int) -> float:
    """How many planes of a band are known, the share of the last as a fraction. Those of a base
    count where it knows more, for as much of the picture as it stands for.
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
    first, later = (np.float32(c) * CENTROID_UNIT for c in model.centroids(band, plane))
    return centred(q, first, later, np.float32(model.step(band.channel, plane)))


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
