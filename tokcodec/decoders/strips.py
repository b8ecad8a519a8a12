"""The network over a large picture in strips of rows: the same correction, in bounded memory.

Coarse resolutions are worked out whole; a picture has a sixty-fourth of its pixels there. The two
finest are worked out strip by strip, with as many rows around each as the convolutions look at.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from tokcodec.decoders.climb import Step, stacked
from tokcodec.decoders.network import Network

IN_STRIPS = 2  # resolutions worked out strip by strip


def reach(blocks: int) -> int:
    """Rows above and below that one row of a resolution's features depends on."""
    return 1 + 2 * blocks  # every convolution looks one row around


def correction(
    network: Network, steps: list[Step], received: Tensor, realism: Tensor, rows: int
) -> Iterator[tuple[int, int, Tensor]]:
    """What `network` adds to the finest low band and details, in strips of at most `rows` rows.

    Yields:
        First row, last row + 1, and (1, 12, rows, w): rows of the half-size bands.
    """
    finest = list(reversed(steps))[: len(network.scales)]
    conditions = network.conditions(received, realism)
    below = None
    for i in reversed(range(IN_STRIPS, len(finest))):
        inputs = network.inputs(stacked(finest[i]), realism)
        below = network.scales[i](inputs, below, conditions[i])
    height = finest[0].low.shape[-2]
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        yield top, bottom, _strip(network, finest, conditions, below, realism, top, bottom)


def _strip(
    network: Network,
    finest: list[Step],
    conditions: list[Tensor],
    below: Tensor | None,
    realism: Tensor,
    top: int,
    bottom: int,
) -> Tensor:
    """Rows top..bottom of the correction."""
    spans: list[tuple[int, int]] = []  # rows to work out at each resolution, finest first
    first, last = top - 1, bottom + 1  # the last convolution looks one row around
    for i, step in enumerate(finest[: IN_STRIPS + 1]):
        if i:
            first, last = _coarser(step, first, last)
        if i < IN_STRIPS:
            margin = reach(network.shape.blocks[i])
            first, last = max(0, first - margin) // 2 * 2, last + margin
        spans.append((first, min(last, step.low.shape[-2])))
    x = None if below is None else below[..., slice(*spans[IN_STRIPS]), :]
    for i in reversed(range(min(IN_STRIPS, len(finest)))):
        a, b = spans[i]
        inputs = network.inputs(stacked(_rows(finest[i], a, b)), realism, (a, 0))
        x = network.scales[i](inputs, x, conditions[i])
        if i:  # hand up the rows over those of the finer resolution
            start, end = _coarser(finest[i], *spans[i - 1])
            x = x[..., start - a : end - a, :]
    return network.out(x)[..., top - spans[0][0] : bottom - spans[0][0], :] * network.spread


def _coarser(step: Step, first: int, last: int) -> tuple[int, int]:
    """Rows first..last of the plane that `step` gives, in rows of its low band; `first` is even."""
    return (first // 2, (last + 1) // 2) if step.level.split_rows else (first, last)


def _rows(step: Step, first: int, last: int) -> Step:
    details = {o: d[..., first:last, :] for o, d in step.details.items()}
    return Step(step.level, step.low[..., first:last, :], details)
