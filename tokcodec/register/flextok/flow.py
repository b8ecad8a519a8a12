"""Flow matching: noise to a sample, in small steps along the velocities that a network tells.

Lipman et al.: Flow Matching for Generative Modeling, ICLR 2023; Liu et al.: Flow Straight and Fast,
ICLR 2023. At time 1 there is noise, at time 0 the sample. Guidance goes further than a condition
asks, away from what the network would do without it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Velocity = Callable[[Tensor, float], Tensor]
Guidance = Callable[[Tensor, Tensor], Tensor]

MOMENTUM = -0.5  # of the differences in earlier steps; below zero, so that they are held back
MAX_NORM = 2.5  # norm of a difference


def sample(noise: Tensor, velocity: Velocity, steps: int) -> Tensor:
    """Noise, (B, ...), to samples of the same shape, by `steps` Euler steps of equal length.

    `velocity` takes what there is and its time, which falls from 1 to 1 / steps, and gives the
    direction from the sample to the noise.
    """
    x = noise
    for i in range(steps, 0, -1):
        x = x - velocity(x, i / steps) / steps
    return x


def classifier_free(scale: float) -> Guidance:
    """Velocities with and without a condition to that which is followed.

    Ho and Salimans: Classifier-Free Diffusion Guidance, 2022.
    """
    return lambda conditional, free: free + scale * (conditional - free)


class ProjectedGuidance:
    """The same, with no part of the change along the conditional velocity, which oversaturates, and
    none too long. One for each run of `sample`, since it remembers the step before.

    Sadat, Hilliges and Weber: Eliminating Oversaturation and Artifacts of High Guidance Scales in
    Diffusion Models, ICLR 2025.
    """

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self.remembered: Tensor | None = None

    def __call__(self, conditional: Tensor, free: Tensor) -> Tensor:
        change = conditional - free
        if self.remembered is not None:
            change = change + MOMENTUM * self.remembered
        self.remembered = change
        length = change.flatten(1).norm(dim=1).clamp(min=MAX_NORM)
        change = change * (MAX_NORM / length).reshape(-1, *[1] * (change.ndim - 1))
        return conditional + (self.scale - 1) * across(change, conditional)


def across(change: Tensor, direction: Tensor) -> Tensor:
    """`change` without its part along `direction`, for each of the batch; both (B, ...)."""
    # Two long vectors of nearly one direction: float32 would leave little of the difference.
    c, d = change.flatten(1).double(), direction.flatten(1).double()
    unit = torch.nn.functional.normalize(d, dim=1)
    rest = c - (c * unit).sum(1, keepdim=True) * unit
    return rest.reshape(change.shape).to(change.dtype)
