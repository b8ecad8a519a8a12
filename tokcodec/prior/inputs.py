"""What a network is told of each digit of a pass: what surrounds it, how this picture has differed
from what the tables expect, and what they say of the digit.
"""

from __future__ import annotations

import numpy as np

from tokcodec.prior.context import Contexts
from tokcodec.prior.surprise import Surprise
from tokcodec.prior.surroundings import SURROUNDINGS, Seen, Surroundings
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Pass


class Inputs:
    """Features of a pass: those of `Surroundings`, of `Surprise`, and the tables' two logits."""

    def __init__(self, known: Knowledge) -> None:
        self._contexts, self._surroundings = Contexts(known), Surroundings(known)
        self._surprise = Surprise(known)

    def look(self, step: Pass) -> Seen:
        """int16 (*lead, FEATURES, step.digits), and which direction counts as positive."""
        rows, tables = self._contexts.look(step)
        features, mirror = self._surroundings.look(step)
        features[..., SURROUNDINGS:-2, :] = self._surprise.look(step, rows, tables)[..., None]
        zero, sign = tables.logits
        features[..., -2, :] = zero.take(rows)
        np.multiply(sign.take(rows), mirror, out=features[..., -1, :])
        return Seen(features, mirror)
