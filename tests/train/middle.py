"""A task that is learnt in a moment, and what the loop's tests look at of its runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from tokcodec.train.checkpoint import LOG, State

CPU = torch.device("cpu")
AT_ONCE = {"save_minutes": 0.0, "check_minutes": 0.0}  # after every step


class Interrupted(Exception):
    """The machine is needed for something else."""


class Middle:
    """A task that is quickly learnt: the middle of 3x3 pixels from the eight around it."""

    def __init__(self, picture: np.ndarray, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.network = torch.nn.Sequential(
            torch.nn.Linear(8, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1)
        )
        rows = np.lib.stride_tricks.sliding_window_view(picture[..., 1], (3, 3)).reshape(-1, 9)
        self.pixels = torch.from_numpy(rows.astype(np.float32) / 128 - 1)
        self.checks: list[int] = []

    def hidden(self) -> list[torch.nn.Parameter]:
        return [p for p in self.network.parameters() if p.ndim == 2][:1]

    def loss(
        self, network: torch.nn.Module, batch: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, float]]:
        found = network(torch.cat([batch[:, :4], batch[:, 5:]], 1))
        loss = (found - batch[:, 4:5]).square().mean()
        return loss, {"loss": float(loss.detach())}

    def check(self, network: torch.nn.Module, out: Path, step: int) -> dict[str, float]:
        self.checks.append(step)
        return {"error": self.error(network)}

    def state(self) -> dict[str, torch.Tensor]:
        return {"checks": torch.tensor(self.checks)}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        self.checks = state["checks"].tolist()

    def error(self, network: torch.nn.Module) -> float:
        return self.loss(network, self.pixels)[1]["loss"]

    def batches(
        self, number: int, first: int = 0, spoilt: dict[int, float] | None = None
    ) -> Iterator[torch.Tensor]:
        """`number` batches from the one called `first` on; who asks for more is interrupted."""
        for i in range(first, first + number):
            chosen = np.random.default_rng(i).integers(0, len(self.pixels), 64)
            batch = self.pixels[torch.from_numpy(chosen)]
            yield batch if i not in (spoilt or {}) else torch.full_like(batch, spoilt[i])
        raise Interrupted


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def moments(state: State) -> torch.Tensor:
    """What the optimisers remember."""
    found = [m for o in state.optimisers for m in o.state_dict()["state"].values()]
    return torch.cat([v.flatten() for m in found for v in m.values()])


def rows(out: Path) -> list[dict[str, str]]:
    """The log, a dictionary a row."""
    head, *lines = [line.split("\t") for line in (out / LOG).read_text().splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]
