"""Weights of a network to the integers that they become, so that both ends compute alike."""

from __future__ import annotations

import numpy as np
from torch import Tensor


def rounded(weights: Tensor, unit: int, kind: type[np.integer]) -> np.ndarray:
    """Weights in 1/`unit`, to the nearest integers of a kind; what lies beyond becomes its end."""
    limit = np.iinfo(kind)
    scaled = np.rint(weights.detach().cpu().double().numpy() * unit)
    return np.clip(scaled, limit.min, limit.max).astype(kind)
