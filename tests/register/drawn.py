"""The random weights with which the parity vectors were made, drawn again instead of kept.

Every tensor of a vector's model is `offset + scale * N`, N standard normal numbers of torch, seeded
by the model's seed and the tensor's name: a few lines in place of megabytes that do not compress.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


def drawn(seed: int, name: str, shape: Sequence[int]) -> Tensor:
    """Standard normal numbers, float32 of `shape`, for the tensor `name` of a model."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))
    return torch.randn(tuple(shape), generator=generator)
