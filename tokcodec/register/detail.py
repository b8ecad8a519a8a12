"""A picture enlarged from the square that register tokens drew, to one with detail.

The second of two stages: tokens say what a small square looks like, and the pyramid's decoder draws
what is finer, as it does where little was received of a pyramid. It is handed the first digits of
the enlarged picture, so many that they hold what the square shows, and nothing of what enlarging
made up.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tokcodec import decoders, registry
from tokcodec.register.square import Finish
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.picture import known_of, source_of
from tokcodec.tokens.tokens import DIGITS

BY_TORCH = ("auto", "neural", ".safetensors")  # ends of the names of what torch may run
TOKENS = 2.0  # of the pyramid, for each pixel of the square; docs/weights.md has the measurements


def finish(
    side: int, decoder: str | Path, realism: float | None, device: Any = None, dtype: Any = None
) -> Finish | None:
    """What gives a picture, enlarged from a square of `side` pixels, its detail.

    Args:
        decoder, realism: as for `decoders.find`.
        device, dtype: where torch runs a network, and in which precision; other decoders than
            networks in torch do not look at them.

    Returns:
        What is to be done to the enlarged picture; None for "linear": nothing.

    Raises:
        ArgumentError, InputError, DamagedModelError: as `decoders.find`.
    """
    where = (device, dtype) if str(decoder).endswith(BY_TORCH) else ()
    draw = decoders.find(decoder, realism, *where)
    if str(decoder) == "linear":
        return None
    digits = int(TOKENS * DIGITS * side**2)

    def detailed(picture: Image.Image) -> Image.Image:
        if max(picture.size) <= side:
            return picture  # nothing was enlarged
        known = first(np.asarray(picture), digits)
        return decoders.picture(known, draw, None)

    return detailed


def first(rgb: np.ndarray, digits: int) -> Knowledge:
    """What the first `digits` digits tell of a picture, uint8 (height, width, 3)."""
    source = source_of(registry.shipped(registry.DEFAULT), rgb)
    return known_of(source.order, source.first(digits))
