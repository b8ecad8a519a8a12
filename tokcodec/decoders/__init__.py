"""What is known of a picture to pixels.

A decoder takes `Knowledge` and the size wanted, and gives uint8 (height, width, 3) of the picture,
whole or reduced by halving, at least that large. A new decoder is a function of that form and a
line in `DECODERS`; it never changes a stream.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tokcodec.decoders.linear import linear
from tokcodec.errors import ArgumentError
from tokcodec.prior.context import Knowledge

Decoder = Callable[[Knowledge, tuple[int, int]], np.ndarray]
DECODERS: dict[str, Decoder] = {"linear": linear}


def find(name: str) -> Decoder:
    """The decoder of that name; "auto" is the best that this machine can run."""
    try:
        return DECODERS["linear" if name == "auto" else name]
    except KeyError:
        raise ArgumentError(
            f"no decoder {name!r}; there are: auto, {', '.join(sorted(DECODERS))}"
        ) from None
