"""Digits with what surrounds them to the network of a prior, and that to a model of integers.

In training the network is of floats. Its weights are rounded at the end: with 16 bits each that
costs less than a thousandth of the bytes, so the rounding needs no part in the training.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tokcodec import model as m
from tokcodec.errors import ArgumentError
from tokcodec.model import FEATURES, HIDDEN, KINDS, PLANES, SLOTS, Model
from tokcodec.prior.network import (
    HIDDEN_BITS,
    INPUT_BITS,
    SIGN_AT,
    SIGN_BITS,
    WEIGHT_BITS,
    ZERO_AT,
    ZERO_BITS,
)
from tokcodec.prior.tables import LOGIT_BITS
from tokcodec.train.digits import DIGIT, UNIT, UNITS, Digits
from tokcodec.train.integers import rounded
from tokcodec.train.levels import lend
from tokcodec.train.pyramid import MIN_FREQUENCY

OCTAVES = (64, 128, 256, 512, 1024, 2048, 4096)  # bytes, between which savings are told
ZERO_REACH = (-ZERO_AT / (1 << ZERO_BITS), (m.ZEROS - 1 - ZERO_AT) / (1 << ZERO_BITS))
SIGN_REACH = (-SIGN_AT / (1 << SIGN_BITS), SIGN_AT / (1 << SIGN_BITS))
AHEAD = 64  # batches drawn at once: in the order of memory that takes half the time
_UNIT = torch.arange(UNITS)
_PARITY, _PLANE, _PLACE = _UNIT % 2, _UNIT // 2 % PLANES, _UNIT // 2 // PLANES
_CHANNEL, _SLOT = _PLACE // SLOTS, _PLACE % SLOTS
_SHAPE = torch.where(_SLOT == 0, 0, torch.where((_SLOT - 1) % 3 == 2, 2, 1))
KIND = 3 * _SHAPE + _CHANNEL  # of each unit: which layers it uses


class PriorNetwork(nn.Module):
    """Features to two logits, of zero and of the expected sign, by setting the tables' right.

    What a unit adds to the first layer is a sum of what its channel, slot, plane and parity add, so
    that units with few digits learn from others.
    """

    def __init__(self) -> None:
        super().__init__()
        first, second = HIDDEN
        self.first = nn.Parameter(torch.randn(KINDS, FEATURES, first) / FEATURES**0.5)
        self.second = nn.Parameter(torch.randn(KINDS, first, second) / first**0.5)
        self.second_bias = nn.Parameter(torch.zeros(KINDS, second))
        self.last = nn.Parameter(0.02 * torch.randn(KINDS, second, 2))
        self.last_bias = nn.Parameter(torch.zeros(UNITS, 2))
        self.of_unit = nn.Parameter(torch.zeros(UNITS, first))
        self.of_place = nn.Parameter(torch.zeros(3 * SLOTS, first))
        self.of_slot = nn.Parameter(torch.zeros(SLOTS, first))
        self.of_plane = nn.Parameter(torch.zeros(PLANES, first))
        self.of_parity = nn.Parameter(torch.zeros(2, first))

    def unit(self) -> Tensor:
        """What each unit adds to the first layer: (UNITS, HIDDEN[0])."""
        return (
            self.of_unit + self.of_place[_PLACE] + self.of_slot[_SLOT]
            + self.of_plane[_PLANE] + self.of_parity[_PARITY]
        )  # fmt: skip

    def forward(self, rows: Tensor) -> Tensor:
        """int16 (n, FEATURES + 2), sorted by kind, to logits (n, 2)."""
        units = rows[:, UNIT].long()
        counts = torch.bincount(KIND[units], minlength=KINDS).tolist()
        parts = (rows[:, :FEATURES].float() / (1 << INPUT_BITS)).split(counts)
        hidden = torch.cat([x @ w for x, w in zip(parts, self.first, strict=True)])
        split = F.relu(hidden + F.embedding(units, self.unit())).split(counts)
        layers = zip(split, self.second, self.second_bias, self.last, strict=True)
        out = torch.cat([F.relu(x @ w + b) @ last for x, w, b, last in layers])
        given = rows[:, FEATURES - 2 : FEATURES].float() / (1 << LOGIT_BITS)
        return out + F.embedding(units, self.last_bias) + given


def likelihood(logits: Tensor) -> Tensor:
    """Logits (n, 2), clipped as the integers are, to the natural logarithms of the chances of
    -1, 0, +1: (n, 3).
    """
    zero, sign = logits[:, 0].clamp(*ZERO_REACH), logits[:, 1].clamp(*SIGN_REACH)
    other = F.logsigmoid(-zero)
    return torch.stack(
        [other + F.logsigmoid(-sign), F.logsigmoid(zero), other + F.logsigmoid(sign)], 1
    )


def drawn(digits: Digits, count: int, seed: int) -> Iterator[Tensor]:
    """Batches of `count` digits without end, each as likely as its share, sorted by kind."""
    rng = np.random.default_rng(seed)
    rows = torch.from_numpy(digits.rows)
    reach = np.cumsum(digits.share, dtype=np.float64)
    while True:
        places = np.sort(rng.random(AHEAD * count)) * reach[-1]
        at = np.searchsorted(reach, places).clip(max=len(reach) - 1)
        several = rows[torch.from_numpy(at)][torch.from_numpy(rng.permutation(len(at)))]
        for batch in several.split(count):
            yield batch[KIND[batch[:, UNIT].long()].argsort()]


class PriorTask:
    """Code lengths, as a loss. The network that saved most at a check is kept.

    Attributes:
        best: its weights, and `numbers` what that check told of it; none before the first.
    """

    progress = 0.0

    def __init__(self, network: PriorNetwork, held_out: Digits) -> None:
        self.network, self.held_out = network, held_out
        self.best: dict[str, Tensor] = {}
        self.numbers: dict[str, float] = {}

    def hidden(self) -> list[nn.Parameter]:
        """None: the layers are too small for Muon."""
        return []

    def state(self) -> dict[str, Any]:
        """The best network so far."""
        return {"best": self.best, "numbers": self.numbers}

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""
        self.best, self.numbers = state.get("best", {}), state.get("numbers", {})

    def found(self) -> PriorNetwork:
        """The best network."""
        self.network.load_state_dict(self.best)
        return self.network

    def loss(self, network: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Mean bits of a digit."""
        found = likelihood(network(batch)) / -np.log(2)
        loss = found.gather(1, batch[:, DIGIT, None].long() + 1).mean()
        return loss, {"bits": float(loss.detach())}

    @torch.inference_mode()
    def check(self, network: nn.Module, out: Path, step: int) -> dict[str, float]:
        """Bytes saved on held-out pictures, in percent, against the model that the digits came
        with: over all, and between the bytes of `OCTAVES`.
        """
        held = self.held_out
        bits = np.empty(len(held.rows), np.float32)
        order = np.argsort(KIND.numpy()[held.rows[:, UNIT]], kind="stable")
        for at in np.array_split(order, max(1, len(order) >> 16)):
            rows = torch.from_numpy(held.rows[at])
            found = likelihood(network(rows)).gather(1, rows[:, DIGIT, None].long() + 1)
            bits[at] = found[:, 0].numpy() / -np.log(2)
        numbers = {"saved": _saved(bits, held.bits, held.share)}
        for low, high in zip((0, *OCTAVES), (*OCTAVES, np.inf), strict=True):
            some = (held.sent >= low) & (held.sent < high)
            if some.any():
                given = (x[some] for x in (bits, held.bits, held.share))
                numbers[f"saved_from_{low}"] = _saved(*given)
        if not self.best or numbers["saved"] > self.numbers["saved"]:
            self.best = {name: t.clone() for name, t in network.state_dict().items()}
            self.numbers = numbers
        return numbers


def _saved(bits: np.ndarray, before: np.ndarray, share: np.ndarray) -> float:
    return 100 * (1 - float((bits * share).sum() / (before * share).sum()))


def to_model(network: PriorNetwork, start: Model, name: str, card: dict[str, str]) -> Model:
    """The model with `start`'s tokens and this prior. Levels that `start` counted as one have what
    was learnt of the first of them, which few pictures go beyond.
    """
    unit = 1 << WEIGHT_BITS
    sums = unit << HIDDEN_BITS
    place = (3, SLOTS, PLANES, 2)
    with torch.inference_mode():
        arrays = start.arrays | {
            "first": rounded(network.first, unit, np.int16),
            "unit": rounded(network.unit(), unit, np.int16).reshape(*place, HIDDEN[0]),
            "second": rounded(network.second, unit, np.int16),
            "second_bias": rounded(network.second_bias, sums, np.int32),
            "last": rounded(network.last, unit, np.int16),
            "last_bias": rounded(network.last_bias, sums, np.int32).reshape(*place, 2),
            "zero": _zeros(),
            "plus": _pluses(),
        }
    for of_units in ("unit", "last_bias"):
        lend(arrays[of_units], finest_of(start))
    return Model(name, arrays, card, m.NETWORK)


def finest_of(model: Model) -> int:
    """The finest level that was counted for a model's tables, 1..LEVELS.

    Raises:
        ArgumentError: its card says something else.
    """
    said = str(model.card.get("finest", m.LEVELS))
    if not re.fullmatch("[0-9]{1,2}", said) or not 1 <= int(said) <= m.LEVELS:
        raise ArgumentError(
            f"the card of {model.name} says finest {said[:20]!r}, not a level in 1..{m.LEVELS}: "
            "make the model anew with `tokcodec train model`"
        )
    return int(said)


def _chances(count: int, start: int, bits: int) -> np.ndarray:
    """Chances in the middle of the steps of a logit: rounding down, step k reaches from k on."""
    return 1 / (1 + np.exp(-(np.arange(count) - start + 0.5) / (1 << bits)))


def _zeros() -> np.ndarray:
    found = np.rint(_chances(m.ZEROS, ZERO_AT, ZERO_BITS) * m.TOTAL)
    return np.clip(found, MIN_FREQUENCY, m.TOTAL - 2 * MIN_FREQUENCY).astype(np.uint32)


def _pluses() -> np.ndarray:
    """Chance of the expected sign in 1/65536; its steps are centred, so that none is expected at
    a logit of zero, and mirrored ones add up to one.
    """
    chance = 1 / (1 + np.exp(-(np.arange(m.SIGNS) - SIGN_AT) / (1 << SIGN_BITS)))
    return np.rint(chance * 65536).astype(np.uint32)
