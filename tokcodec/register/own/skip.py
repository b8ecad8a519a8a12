"""What the tokens of a register tokenizer say before anything is learnt: cosines of low frequency,
coarsely first and then finer.

Each digit refines one coefficient of the picture's discrete cosine transform (Ahmed, Natarajan and
Rao, 1974); the order is greedy, so that each takes off the most squared error that is left. So the
tokenizer is a linear codec at first, and its networks learn what to change: the encoder's are added
to what is rounded, the decoder's to what is drawn. A decoder has only tokens to start from; a skip
past them, as between pyramid bands, would have to be sent.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from tokcodec.register.fsq import FSQ
from tokcodec.register.layers import Float32

MIDDLE = 0.5  # grey, of pixels in 0..1: a picture of which nothing is known
# Orthonormal luma and chroma, as in `pixels.colour`: rows of R, G, B.
AXES = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])


class Skip(Float32):
    """Cosines to what is rounded to digits, and digits back to cosines; always float32.

    Args:
        slots: the cosine that each digit refines; index into (3, side, side), flat.
        side: pixels a side.
    """

    def __init__(self, slots: tuple[int, ...], side: int) -> None:
        super().__init__()
        self.slots, self.side = slots, side
        self.gains = nn.Parameter(torch.zeros(len(slots)))  # logarithms: before rounding,
        self.weights = nn.Parameter(torch.zeros(len(slots)))  # and of what a digit stands for

    def latents(self, cosines: Tensor, changes: Tensor, fsq: FSQ) -> Tensor:
        """What the digits are rounded from: cosines less what earlier digits of the same cosine
        say, and the encoder's changes.

        Args:
            cosines: (B, 3 side side); changes: (B, N, D).

        Returns:
            (B, N, D)
        """
        found = changes.float().flatten(1)
        left, gains, weights = cosines, self.gains.exp(), self.weights.exp()
        for places in ranks(self.slots):
            at = torch.as_tensor(places, device=found.device)
            of = torch.as_tensor(np.array(self.slots)[places], device=found.device)
            found = found.index_add(1, at, left[:, of] * gains[at])
            said = fsq.straight(found.view(changes.shape)).flatten(1)[:, at]
            left = left.index_add(1, of, -said * weights[at])
        return found.view(changes.shape)

    def cosines(self, values: Tensor) -> Tensor:
        """Values (B, k, D) of the first tokens' digits to (B, 3 side side)."""
        said = values.float().flatten(1)
        count = said.shape[1]
        of = torch.as_tensor(self.slots[:count], device=said.device)
        blank = said.new_zeros(len(said), 3 * self.side**2)
        return blank.index_add(1, of, said * self.weights[:count].exp())


def to_cosines(pixels: Tensor) -> Tensor:
    """Float (B, 3, S, S) in 0..1 to orthonormal coefficients, float32 (B, 3 S S)."""
    basis, axes = _basis(pixels.shape[-1], pixels.device)
    with torch.autocast(pixels.device.type, enabled=False):
        planes = torch.einsum("ac,bcyx->bayx", axes, pixels.float() - MIDDLE)
        return (basis @ planes @ basis.T).flatten(1)


def to_pixels(cosines: Tensor, side: int) -> Tensor:
    """The inverse of `to_cosines`: (B, 3, S, S), somewhat outside of 0..1."""
    basis, axes = _basis(side, cosines.device)
    with torch.autocast(cosines.device.type, enabled=False):
        planes = basis.T @ cosines.view(-1, 3, side, side) @ basis
        return torch.einsum("ac,bayx->bcyx", axes, planes) + MIDDLE


@lru_cache(maxsize=8)
def ranks(slots: tuple[int, ...]) -> list[np.ndarray]:
    """Places of the digits that are the first of their cosine, of the second ones, and so on."""
    times = dict[int, int]()
    rank = np.empty(len(slots), np.int64)
    for i, slot in enumerate(slots):
        rank[i] = times[slot] = times.get(slot, -1) + 1
    return [np.flatnonzero(rank == r) for r in range(int(rank.max(initial=-1)) + 1)]


def _basis(side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows of cosines, and of colours."""
    return (
        torch.as_tensor(_cosines(side), device=device),
        torch.as_tensor(AXES, dtype=torch.float32, device=device),
    )


@lru_cache(maxsize=8)
def _cosines(side: int) -> np.ndarray:
    """The orthonormal matrix of the DCT-II, a row a frequency: float32 (side, side)."""
    u, x = np.arange(side)[:, None], np.arange(side)[None]
    matrix = np.cos(np.pi * u * (x + 0.5) / side) * np.sqrt(2 / side)
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)
