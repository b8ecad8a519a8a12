"""What a network is told of each digit of a pass: what surrounds it, and what the tables say."""

from __future__ import annotations

from tokcodec.model import FEATURES
from tokcodec.prior.context import Contexts
from tokcodec.prior.knowledge import Knowledge
from tokcodec.prior.surroundings import Seen, Surroundings
from tokcodec.tokens.order import Pass


class Inputs:
    """Features of a pass, the last two of which are the tables' logits."""

    def __init__(self, known: Knowledge) -> None:
        self._contexts, self._surroundings = Contexts(known), Surroundings(known)

    def look(self, step: Pass) -> Seen:
        """int16 (*lead, step.digits, FEATURES), and which direction counts as positive."""
        rows, tables = self._contexts.look(step)
        features, mirror = self._surroundings.look(step)
        zero, sign = tables.logits
        features[..., FEATURES - 2] = zero[rows]
        features[..., FEATURES - 1] = sign[rows] * mirror
        return Seen(features, mirror)
