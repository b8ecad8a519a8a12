"""Finite scalar quantisation: a few numbers to the digits of a token, to its id, and back.

Mentzer, Minnen, Agustsson and Tschannen: Finite Scalar Quantization, ICLR 2024. Every number is
squeezed into a fixed range and rounded to one of its levels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atanh, prod

import torch
from torch import Tensor

from tokcodec.errors import TokensError

MARGIN = 1e-3  # the range is so much wider than its levels, so that the outermost are reached


@dataclass(frozen=True)
class FSQ:
    """`levels` counts the values of each digit; the first digit of an id varies fastest."""

    levels: tuple[int, ...]

    @property
    def vocabulary(self) -> int:
        """How many different tokens there are."""
        return prod(self.levels)

    @property
    def strides(self) -> tuple[int, ...]:
        """What one step of each digit adds to an id."""
        return tuple(prod(self.levels[:i]) for i in range(len(self.levels)))

    def bounded(self, latents: Tensor) -> Tensor:
        """Any numbers, float (..., D), squeezed to where rounding gives a digit less its middle:
        float32.
        """
        half = [(level - 1) * (1 + MARGIN) / 2 for level in self.levels]
        offset = [0.0 if level % 2 else 0.5 for level in self.levels]
        shift = [atanh(o / h) for o, h in zip(offset, half, strict=True)]
        scale, off, at = (latents.new_tensor(x, dtype=torch.float32) for x in (half, offset, shift))
        return torch.tanh(latents.float() + at) * scale - off

    def digits(self, latents: Tensor) -> Tensor:
        """Any numbers, float (..., D), to the nearest digits, int64 (..., D), each 0..level - 1."""
        return torch.round(self.bounded(latents)).long() + self._middle(latents)

    def straight(self, latents: Tensor) -> Tensor:
        """`values` of the nearest digits, float32 (..., D), with the gradient that there would be
        without rounding (straight-through).
        """
        bounded = self.bounded(latents)
        rounded = bounded + (torch.round(bounded) - bounded).detach()
        return rounded / self._middle(latents)

    def ids(self, digits: Tensor) -> Tensor:
        """Int64 (..., D) to int64 (...), each 0..vocabulary - 1."""
        return (digits * digits.new_tensor(self.strides)).sum(-1)

    def values(self, ids: Tensor) -> Tensor:
        """Int64 (...) to what the digits stand for, float32 (..., D) in -1..1.

        Raises:
            TokensError: an id outside 0..vocabulary - 1.
        """
        if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < self.vocabulary:
            raise TokensError(f"token ids are 0..{self.vocabulary - 1}")
        digits = ids[..., None] // ids.new_tensor(self.strides) % ids.new_tensor(self.levels)
        middle = self._middle(ids)
        return (digits - middle).float() / middle

    def _middle(self, like: Tensor) -> Tensor:
        """The digits that stand for zero."""
        return like.new_tensor([level // 2 for level in self.levels], dtype=torch.int64)
