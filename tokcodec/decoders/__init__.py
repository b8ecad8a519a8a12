"""What is known of a picture to pixels.

A decoder takes `Knowledge` and the size wanted, and gives uint8 (height, width, 3) of the picture,
whole or reduced by halving, at least that large. It never changes a stream.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tokcodec.decoders.linear import linear
from tokcodec.errors import ArgumentError
from tokcodec.prior.context import Knowledge

Decoder = Callable[[Knowledge, tuple[int, int]], np.ndarray]
DECODERS: dict[str, Decoder] = {"linear": linear}
SUFFIX = ".safetensors"  # of a trained decoder's file


def find(name: str) -> Decoder:
    """The decoder of that name; "auto" is the best that this machine can run; a path ending in
    .safetensors is a trained decoder (`tokcodec train decoder`), which needs torch.

    Raises:
        ArgumentError: there is no such decoder, or no torch for it.
        InputError, DamagedModelError: its file cannot be read, or holds something else.
    """
    if name in DECODERS or name == "auto":
        return DECODERS["linear" if name == "auto" else name]
    if not str(name).endswith(SUFFIX):
        names = ", ".join(sorted(DECODERS))
        raise ArgumentError(f"no decoder {name!r}; there are: auto, {names}, or a file (*{SUFFIX})")
    if find_spec("torch") is None:
        raise ArgumentError("a trained decoder needs torch: pip install torch")
    from tokcodec.decoders.neural import network_in, neural

    return partial(neural, network=network_in(Path(name)))
