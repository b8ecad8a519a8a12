"""Pictures to how strong their texture is, place by place, and how far two differ in that.

Features and critics put up with texture on a sky, since something is there that pictures have. Here
every square is asked how much energy it has at each scale and in each direction, which a network
can often tell without knowing the texture itself: grass has some, a sky has none.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SCALES = 3  # halvings
CELL = 4  # coefficients a side that are looked at together: 8, 16 and 32 pixels
UNSEEN = 4.0  # squared grey levels that nobody sees


def contrast(rgb: Tensor) -> list[Tensor]:
    """RGB (B, 3, h, w) in 0..255 to the logarithm of the mean energy of its luma's details, (B, 3,
    h', w') of each scale, finest first: across, down and along the diagonal (Haar's orthonormal
    transform). Scales at which no cell is left stay out.
    """
    found, low = list[Tensor](), rgb.mean(1, keepdim=True)
    for _ in range(SCALES):
        if min(low.shape[-2:]) < 2 * CELL:
            break
        a, b, c, d = (low[..., i::2, j::2] for i in (0, 1) for j in (0, 1))
        a, b = a[..., : c.shape[-2], : b.shape[-1]], b[..., : c.shape[-2], :]
        c = c[..., : b.shape[-1]]
        details = torch.cat([a - b + c - d, a + b - c - d, a - b - c + d], 1) / 2
        found.append((F.avg_pool2d(details.square(), CELL) + UNSEEN).log())
        low = (a + b + c + d) / 2
    return found


def contrast_error(one: list[Tensor], two: list[Tensor]) -> Tensor:
    """(B,): mean absolute difference, mean of the scales; one 0 for all if there are none. Where a
    network cannot know, the median is best, so that few wild places do not cover the rest with
    texture.
    """
    parts = [(a - b).abs().mean((1, 2, 3)) for a, b in zip(one, two, strict=True)]
    return torch.stack(parts).mean(0) if parts else torch.zeros(())
