"""What is known of a picture to pixels by a trained network: the linear inverse, corrected."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tokcodec.decoders.climb import climb, orientations, up
from tokcodec.decoders.files import card, read
from tokcodec.decoders.linear import linear, reduced
from tokcodec.decoders.network import CHANNELS, Network, received_planes
from tokcodec.decoders.strips import correction
from tokcodec.errors import InputError
from tokcodec.pixels.colour import to_rgb
from tokcodec.prior.context import Knowledge
from tokcodec.tokens.pyramid import dequantise

STRIP = 1 << 18  # half-size pixels worked out at a time


@torch.inference_mode()
def neural(
    known: Knowledge,
    size: tuple[int, int],
    network: Network,
    realism: float = 0.0,
    strip: int = STRIP,
) -> np.ndarray:
    """Pixels, uint8 (height, width, 3), of the whole picture. For a `size` (width, height) well
    below it the linear inverse's low band serves: scaling down leaves nothing to correct.
    """
    order = known.order
    if reduced(order, size) or len(order.bands) == order.channels:
        return linear(known, size)
    each = len(order.bands) // order.channels
    bands = []
    for i in range(each):
        channels = [dequantise(known, c * each + i) for c in range(order.channels)]
        channels += [np.zeros_like(channels[0])] * (CHANNELS - order.channels)
        bands.append(torch.from_numpy(np.stack(channels))[None])
    steps = climb(bands, order.height, order.width)
    last, width = steps[-1], steps[-1].low.shape[-1]
    low = last.low.clone()  # strips look at rows around them: the corrected ones stand apart
    details = {o: d.clone() for o, d in last.details.items()}
    received, wanted = received_planes(known), torch.full((1,), float(realism))
    for top, bottom, part in correction(network, steps, received, wanted, -(-strip // width)):
        low[..., top:bottom, :] += part[:, :CHANNELS]
        for o in orientations(last.level):
            rows = details[o][..., top:bottom, :]
            found = part[:, CHANNELS * o : CHANNELS * (o + 1)]
            rows += found[..., : rows.shape[-2], : rows.shape[-1]]
    planes = up(last._replace(low=low, details=details))[0].numpy()
    return to_rgb(list(planes[: order.channels]))


def network_in(path: Path) -> tuple[Network, dict[str, Any]]:
    """The network of a decoder's file, and its card; the last few are kept while files stay."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError as e:
        raise InputError(f"cannot read the decoder {path}: {e.strerror or e}") from e
    return _read(path, changed)


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> tuple[Network, dict[str, Any]]:
    return read(path), card(path)
