"""Two decoders of one shape to one between them: each weight a mean of both.

A run with a critic ends somewhere around what it looks for, and with more texture than it needs.
Between where it began and where it ended lie networks that have most of its edges and little of its
grain, and score better than both: interpolation of networks (Wang et al., "ESRGAN", 2018), means of
weights (Wortsman et al., "Model soups", 2022). It works for decoders that come from each other.
"""

from __future__ import annotations

import numpy as np

from tokcodec.arguments import is_number
from tokcodec.decoders.stored import Stored, tokens_of
from tokcodec.errors import ArgumentError


def between(one: Stored, two: Stored, share: float) -> Stored:
    """The decoder `share` of the way from one to the other, with a card that tells of both.

    Args:
        share: 0 is the first, 1 the second.

    Raises:
        ArgumentError: they differ in shape, or draw no tokens in common; share does not lie in
            0..1.
    """
    if not is_number(share) or not 0 <= share <= 1:
        raise ArgumentError(f"share lies in 0..1, not {share!r:.40}")
    first, second = tokens_of(one.about), tokens_of(two.about)
    common = [t for t in second or first if t in (first or second)]  # older ones do not say
    if one.shape != two.shape or ((first or second) and not common):
        raise ArgumentError("the decoders differ in shape, or in the tokens that they draw")
    weights = {
        name: ((1 - share) * one.weights[name].astype(np.float32) + share * w).astype(w.dtype)
        for name, w in two.weights.items()
    }
    about = two.about | {"between": [one.about, two.about, share]}
    return Stored(two.shape, weights, about | {"tokens": common} if common else about)
