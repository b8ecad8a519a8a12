"""The noise that flow decoders start from: a seed to normal numbers, alike on every machine."""

from __future__ import annotations

import numpy as np

from tokcodec.arguments import is_whole
from tokcodec.errors import ArgumentError

BITS = 53  # of a raw word of 64: as many as a float64 holds


def normal(seed: int, count: int) -> np.ndarray:
    """The first `count` numbers that belong to `seed` (0..2^64 - 1), float32.

    Raw words of Philox4x64-10 (Salmon et al., SC 2011), whose key is the seed and whose counter
    runs from 1, become normal numbers two by two (Box and Muller, 1958); docs/FORMAT.md has the
    formula.

    Raises:
        ArgumentError: no such seed.
    """
    if not is_whole(seed) or not 0 <= int(seed) < 1 << 64:
        raise ArgumentError(f"a seed is a whole number from 0 to 2^64 - 1, not {seed!r:.40}")
    words = np.random.Philox(key=int(seed)).random_raw(count + count % 2).reshape(-1, 2)
    first, second = (words >> np.uint64(64 - BITS)).astype(np.float64).T
    radius = np.sqrt(-2 * np.log((first + 1) / 2**BITS))  # of 0 there is no logarithm
    angle = 2 * np.pi * second / 2**BITS
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
    return pairs.ravel()[:count].astype(np.float32)
