"""Gradients of weight matrices to steps of even strength in all directions: the Muon optimiser.

Jordan and others, "Muon: an optimizer for hidden layers in neural networks" (2024), with the scale
of Liu and others, "Muon is scalable for LLM training" (2025), equation 4. torch.optim.Muon works in
bfloat16, which processors without it take seconds for; here it is float32 on those.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from tokcodec import devices

QUINTIC = (3.4445, -4.7750, 2.0315)  # coefficients of the Newton-Schulz iteration
ITERATIONS = 5
MOMENTUM = 0.95  # Nesterov's
STRENGTH = 0.4  # root mean square of an update, before the rate; 0.2 matches AdamW's


class Muon(torch.optim.Optimizer):
    """For weights of two dimensions or more; a convolution's count as (out, in x height x width).

    Args:
        weights: what to train.
        rate: of learning; about AdamW's.
        decay: of the weights, per step and unit of rate.
    """

    def __init__(self, weights: Iterable[nn.Parameter], rate: float, decay: float = 0.01) -> None:
        super().__init__(weights, {"lr": rate, "decay": decay, "momentum": MOMENTUM})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One step along the gradients that are there."""
        for group in self.param_groups:
            rate, momentum = group["lr"], group["momentum"]
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight.grad)
                mean = state["momentum"].lerp_(weight.grad, 1 - momentum)
                update = orthogonal(weight.grad.lerp(mean, momentum).flatten(1))
                scale = STRENGTH * max(update.shape) ** 0.5
                weight.mul_(1 - rate * group["decay"])
                weight.add_(update.view_as(weight), alpha=-rate * scale)


def orthogonal(matrix: Tensor) -> Tensor:
    """(m, n) to about the nearest (m, n) whose singular values are all 1."""
    a, b, c = QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.float().T if tall else matrix.float()
    x = x / x.norm().clamp(min=1e-7)
    if devices.half(matrix.device):
        x = x.bfloat16()
    for _ in range(ITERATIONS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return (x.T if tall else x).float()
