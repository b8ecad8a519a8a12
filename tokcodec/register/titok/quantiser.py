"""Vectors to the numbers of their nearest rows in a codebook, and back (van den Oord et al.,
NeurIPS 2017). Always float32: in half precision other rows would be nearest.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from tokcodec.errors import TokensError
from tokcodec.register.layers import Float32


class Codebook(Float32):
    """`vocabulary` vectors of `width` numbers.

    Args:
        normalised: compare directions only: vectors and rows are scaled to length 1 first.
    """

    def __init__(self, vocabulary: int, width: int, normalised: bool) -> None:
        super().__init__()
        self.normalised = normalised
        self.embedding = nn.Embedding(vocabulary, width)

    def _rows(self) -> Tensor:
        rows = self.embedding.weight
        return F.normalize(rows, dim=-1) if self.normalised else rows

    def ids(self, vectors: Tensor) -> Tensor:
        """(..., width) to int64 (...): the nearest row, the first of several."""
        flat = vectors.float().reshape(-1, vectors.shape[-1])
        flat = F.normalize(flat, dim=-1) if self.normalised else flat
        rows = self._rows()
        distance = (flat**2).sum(1, keepdim=True) + (rows**2).sum(1) - 2 * flat @ rows.T
        return distance.argmin(1).view(vectors.shape[:-1])

    def rows(self, ids: Tensor) -> Tensor:
        """Int64 (...) to float32 (..., width).

        Raises:
            TokensError: an id outside 0..vocabulary - 1.
        """
        vocabulary = self.embedding.num_embeddings
        if ids.numel() and not 0 <= int(ids.min()) <= int(ids.max()) < vocabulary:
            raise TokensError(f"token ids are 0..{vocabulary - 1}")
        found = self.embedding(ids)
        return F.normalize(found, dim=-1) if self.normalised else found
