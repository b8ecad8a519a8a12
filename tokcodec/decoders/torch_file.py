"""A decoder's file (safetensors, half precision, a card inside) to its torch network, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tokcodec.decoders import stored
from tokcodec.decoders.network import Network
from tokcodec.decoders.stored import Stored


def read(path: Path) -> Network:
    """A network, float32, ready to decode with; raises as `stored.read` does."""
    return network_of(stored.read(path))


def card(path: Path) -> dict[str, Any]:
    """What the file says of itself; raises as `stored.read` does."""
    return stored.read(path).about


def network_of(kept: Stored) -> Network:
    """The network, float32, ready to decode with."""
    network = Network(kept.shape)
    network.load_state_dict({k: torch.from_numpy(w).float() for k, w in kept.weights.items()})
    network.eval().requires_grad_(False)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def write(path: Path, network: Network, about: dict[str, Any]) -> None:
    """Weights in half precision with `about` as their card, and their hash."""
    state = {k: v.detach().cpu().half().contiguous() for k, v in network.state_dict().items()}
    kept = Stored(network.shape, {k: v.numpy() for k, v in state.items()}, about)
    stored.write(path, kept, overwrite=True)
