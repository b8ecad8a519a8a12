"""The network over a large picture in strips of rows: the same correction, in bounded memory.

Coarse resolutions are worked out whole; a picture has a sixty-fourth of its pixels there. The two
finest are worked out strip by strip, with as many rows around each as the convolutions look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tokcodec.decoders.noise import noise
from tokcodec.decoders.runtime import Runtime
from tokcodec.decoders.shape import BANDS, INPUTS, spread
from tokcodec.decoders.steps import Step, stacked

IN_STRIPS = 2  # resolutions worked out strip by strip
_SPREAD = spread()


class Strip(NamedTuple):
    """Rows `top` to `bottom` (exclusive) of the correction: (1, BANDS, bottom - top, w)."""

    top: int
    bottom: int
    correction: np.ndarray


def reach(blocks: int) -> int:
    """Rows above and below that one row of a resolution's features depends on."""
    return 1 + 2 * blocks  # every convolution looks one row around


def correction(
    runtime: Runtime, steps: list[Step[np.ndarray]], received: np.ndarray, realism: float, rows: int
) -> Iterator[Strip]:
    """What the network adds to the finest low band and details, in strips of at most `rows` rows.

    Args:
        steps: of one picture, coarsest first, as `climb` gives.
        received: (1, RECEIVED).
        realism: 0..1.

    Yields:
        Strips from top to bottom; their rows are those of the half-size bands.
    """
    finest = steps[::-1][: len(runtime.shape.widths)]
    conditions = runtime.conditions(received, np.full(1, realism, np.float32))
    below = None
    for i in reversed(range(IN_STRIPS, len(finest))):
        whole = inputs(finest[i], 0, finest[i].low.shape[-2], realism)
        below = runtime.scale(i, whole, below, conditions[i])
    height = finest[0].low.shape[-2]
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        found = _strip(runtime, finest, conditions, below, realism, top, bottom)
        yield Strip(top, bottom, found)


def inputs(step: Step[np.ndarray], first: int, last: int, realism: float) -> np.ndarray:
    """Rows first..last of a resolution's bands, scaled, with their noise: (1, INPUTS, rows, w)."""
    details = {o: d[..., first:last, :] for o, d in step.details.items()}
    bands = stacked(Step(step.level, step.low[..., first:last, :], details))
    height, width = bands.shape[-2:]
    out = np.zeros((1, INPUTS, height, width), np.float32)
    np.divide(bands, _SPREAD, out=out[:, :BANDS])
    if realism:
        np.multiply(noise(height, width, (first, 0)), realism, out=out[0, BANDS:])
    return out


def _strip(
    runtime: Runtime,
    finest: list[Step[np.ndarray]],
    conditions: list[np.ndarray],
    below: np.ndarray | None,
    realism: float,
    top: int,
    bottom: int,
) -> np.ndarray:
    """Rows top..bottom of the correction."""
    kinds = [b for b in (runtime.shape.blocks, runtime.shape.realism) if b]
    spans: list[tuple[int, int]] = []  # rows to work out at each resolution, finest first
    first, last = top - 1, bottom + 1  # the last convolution looks one row around
    for i, step in enumerate(finest[: IN_STRIPS + 1]):
        if i:
            first, last = _coarser(step, first, last)
        if i < IN_STRIPS:
            margin = reach(sum(blocks[i] for blocks in kinds))
            first, last = max(0, first - margin) // 2 * 2, last + margin
        spans.append((first, min(last, step.low.shape[-2])))
    below = None if below is None else below[..., slice(*spans[IN_STRIPS]), :]
    for i in reversed(range(1, min(IN_STRIPS, len(finest)))):
        a, b = spans[i]
        x = runtime.scale(i, inputs(finest[i], a, b, realism), below, conditions[i])
        start, end = _coarser(finest[i], *spans[i - 1])  # the rows over those of the finer one
        below = x[..., start - a : end - a, :]
    x = runtime.scale(0, inputs(finest[0], *spans[0], realism), below, conditions[0])
    return runtime.out(x)[..., top - spans[0][0] : bottom - spans[0][0], :] * _SPREAD


def _coarser(step: Step[np.ndarray], first: int, last: int) -> tuple[int, int]:
    """Rows first..last of the plane that `step` gives, in rows of its low band; `first` is even."""
    return (first // 2, (last + 1) // 2) if step.level.split_rows else (first, last)
