"""What all priors have that were learned from pictures: integers, and a hash of them."""

from __future__ import annotations

import hashlib
import json
from typing import ClassVar, Protocol

import numpy as np

from tokcodec.register.prior.interface import Prior
from tokcodec.tensors import hash_arrays


class Learned(Prior, Protocol):
    """A prior that has been learned from pictures.

    Attributes:
        kind: how its arrays are to be read.
    """

    kind: ClassVar[str]

    @property
    def levels(self) -> tuple[int, ...]:
        """Digits of a token, the number of values of each."""

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """By the names that they have in a file."""

    def sound(self, length: int) -> bool:
        """Whether they give frequencies for every digit of so many tokens."""


def identity(prior: Learned) -> str:
    """SHA-256 of all that is in a prior (docs/FORMAT.md, "Register tokenizers"), in hexadecimal."""
    said = {"kind": prior.kind, "levels": list(prior.levels)}
    h = hashlib.sha256(json.dumps(said, separators=(",", ":")).encode())
    hash_arrays(h, prior.arrays)
    return h.hexdigest()


def parents_fit(parents: np.ndarray, levels: tuple[int, ...], length: int, contexts: int) -> bool:
    """Whether each place's parent is an earlier one, with no more than so many values."""
    places = length * len(levels)
    if parents.dtype != np.int32 or parents.shape != (places,):
        return False
    if (parents < -1).any() or (parents >= np.arange(places)).any():
        return False
    return bool(np.where(parents < 0, 1, np.tile(levels, length)[parents]).max() <= contexts)
