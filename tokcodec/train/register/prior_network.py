"""Digits of register tokens to the network of a prior, and that to a prior of integers.

In training the network is of floats; its weights are rounded to 1/1024 at the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokcodec.model import TOTAL
from tokcodec.register.prior.network import BITS, MAX_POWER, SCORE_BITS, Network
from tokcodec.register.prior.tables import Tables
from tokcodec.train.integers import rounded
from tokcodec.train.register.prior_tables import MAX_VALUES

HIDDEN = 64
RANK, RANK_OF_CODEBOOKS = 3, 16  # numbers that tell values apart
HEARD, TOLD, BIAS = 0.02, 0.01, 0.1  # spread of weights at first
DROPPED = 0.2  # share of hidden values left out in training, so that others learn to stand in
CHECKED = 32  # pictures at a time


class RegisterPriorNetwork(nn.Module):
    """Digits to logits of their values, each from the digits before it; at first those of tables,
    nearly.
    """

    parents: Tensor
    given: Tensor
    outside: Tensor

    def __init__(self, tables: Tables, hidden: int = HIDDEN) -> None:
        super().__init__()
        places, _, values = tables.frequencies.shape
        self.levels = tables.levels
        rank = RANK if values <= MAX_VALUES else RANK_OF_CODEBOOKS
        self.codes = nn.Parameter(_codes(self.levels, rank))
        self.heard = nn.Parameter(HEARD * torch.randn(places, rank, hidden))
        self.bias = nn.Parameter(BIAS * torch.randn(hidden).repeat(places, 1))
        self.told = nn.Parameter(TOLD * torch.randn(places, hidden, rank))
        self.meant = nn.Parameter(_codes(self.levels, rank))
        self.offset = nn.Parameter(torch.zeros(places, values))
        shares = np.maximum(tables.frequencies, 1) / TOTAL
        count = np.tile(self.levels, places // len(self.levels))
        self.register_buffer("parents", torch.from_numpy(tables.parents.astype(np.int64)))
        self.register_buffer("given", torch.from_numpy(np.log(shares).astype(np.float32)))
        self.register_buffer("outside", torch.from_numpy(np.arange(values) >= count[:, None]))

    def forward(self, digits: Tensor) -> Tensor:
        """Int64 (B, places) to float32 (B, places, values)."""
        places = torch.arange(digits.shape[1], device=digits.device)
        codes = self.codes.mT[places % len(self.levels), digits]
        added = torch.einsum("bpk,pkh->bph", codes, self.heard)
        hidden = F.relu(added.cumsum(1) - added + self.bias)  # of those before it
        hidden = F.dropout(hidden, DROPPED, self.training)
        said = torch.einsum("bph,phk->bpk", hidden, self.told).unflatten(1, (-1, len(self.levels)))
        more = torch.einsum("btdk,dkv->btdv", said, self.meant).flatten(1, 2)
        before = torch.where(self.parents < 0, 0, digits[:, self.parents.clamp(min=0)])
        logits = more + self.offset + self.given[places, before]
        return logits.masked_fill(self.outside, -torch.inf)


def _codes(levels: tuple[int, ...], rank: int) -> Tensor:
    """What values are heard as at first: polynomials of digits with few values (rank + 1 at least),
    else random numbers; float32 (digits, rank, values), each row of mean square 1.
    """
    found = torch.zeros(len(levels), rank, max(levels))
    for i, values in enumerate(levels):
        if values <= MAX_VALUES:
            powers = torch.linspace(-1, 1, values)[:, None] ** torch.arange(min(rank + 1, values))
            rows = torch.linalg.qr(powers).Q[:, 1:].T * values**0.5
        else:
            rows = torch.randn(rank, values)
        found[i, : len(rows), :values] = rows
    return found


class NetworkTask:
    """Code lengths, as a loss. The network that was best at a check, or before the first step, is
    kept: of few pictures it soon learns by heart what tells nothing of others.

    Attributes:
        best: its weights, and `least` its bits of a token.
    """

    progress = 0.0

    def __init__(
        self, network: RegisterPriorNetwork, held_out: np.ndarray, device: torch.device
    ) -> None:
        self.network = network.to(device)
        self.held_out = torch.from_numpy(held_out).to(device)
        self.least = math.inf
        self.best: dict[str, Tensor] = {}
        self._compare(self.network.eval())
        self.network.train()

    def hidden(self) -> list[nn.Parameter]:
        """None: there is no matrix between hidden layers."""
        return []

    def state(self) -> dict[str, Any]:
        """The best network so far."""
        return {"best": self.best, "least": self.least}

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.best, self.least = state["best"], float(state["least"])

    def loss(self, network: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Mean bits of a token."""
        bits = bits_of(network, batch) * len(self.network.levels)
        return bits, {"bits": float(bits.detach())}

    def check(self, network: nn.Module, out: Path, step: int) -> dict[str, float]:
        """Mean bits of a token on held-out pictures."""
        return {"bits_held_out": self._compare(network)}

    @torch.inference_mode()
    def _compare(self, network: nn.Module) -> float:
        """Its bits of a token; it is kept, if they are the fewest so far."""
        parts = [bits_of(network, x) * len(x) for x in self.held_out.split(CHECKED)]
        bits = float(torch.stack(parts).sum() / len(self.held_out)) * len(self.network.levels)
        if bits < self.least:
            self.least = bits
            self.best = {name: t.clone() for name, t in network.state_dict().items()}
        return bits

    def found(self) -> RegisterPriorNetwork:
        """The best network."""
        self.network.load_state_dict(self.best)
        return self.network


def bits_of(network: nn.Module, digits: Tensor) -> Tensor:
    """Mean bits of a digit."""
    logits = network(digits)
    return F.cross_entropy(logits.flatten(0, 1), digits.flatten()) / math.log(2)


def drawn(digits: np.ndarray, count: int, seed: int) -> Iterator[Tensor]:
    """Batches of `count` pictures' digits without end, every picture as often as the others."""
    rng = np.random.default_rng(seed)
    count = min(count, len(digits))
    while True:
        order = rng.permutation(len(digits))
        for at in range(0, len(order) - count + 1, count):
            yield torch.from_numpy(digits[order[at : at + count]].astype(np.int64))


@torch.no_grad()
def to_prior(network: RegisterPriorNetwork) -> Network:
    """The prior of integers that a network becomes."""
    logits = (network.given + network.offset[:, None]).masked_fill(network.outside[:, None], 0)
    names = "codes", "heard", "bias", "told", "meant"
    return Network(
        levels=network.levels,
        parents=network.parents.cpu().numpy().astype(np.int32),
        logits=rounded(logits, 1 << BITS, np.int16),
        **{name: rounded(getattr(network, name), 1 << BITS, np.int16) for name in names},
        powers=_powers(),
    )


def _powers() -> np.ndarray:
    """e to the power of scores below 0, down to the smallest that is not rounded to nothing."""
    steps = np.arange(math.ceil(math.log(MAX_POWER) * (1 << SCORE_BITS)))
    return np.rint(np.exp(-steps / (1 << SCORE_BITS)) * MAX_POWER).astype(np.uint32)
