"""What every training is: a network, its loss on a batch, and its checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn


class Task(Protocol):
    """What is trained: a network, its loss, and how to tell whether it is good.

    Attributes:
        progress: of the run, 0..1; `train` sets it before each step.
    """

    progress: float

    @property
    def network(self) -> nn.Module:
        """What learns."""

    def hidden(self) -> list[nn.Parameter]:
        """Weights of hidden layers: Muon's. AdamW takes the rest."""

    def loss(self, network: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The loss of a batch, and numbers for the log."""

    def check(self, network: nn.Module, out: Path, step: int) -> dict[str, float]:
        """Numbers of the averaged network on held-out pictures; may write pictures to `out`."""

    def state(self) -> dict[str, Any]:
        """What else a checkpoint must hold: tensors, in dictionaries."""

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
