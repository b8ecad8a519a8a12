"""A decoder's file (safetensors, half precision, a card inside) to its network, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from tokcodec.decoders.network import Network, Shape
from tokcodec.errors import DamagedModelError, InputError
from tokcodec.files import write_atomically

KIND = "pyramid-decoder-1"


def read(path: Path) -> Network:
    """A network, float32, ready to decode with.

    Raises:
        InputError: the file cannot be read.
        DamagedModelError: it holds no decoder of this kind.
    """
    try:
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            if about.get("kind") != KIND:
                raise ValueError(f"its kind is {about.get('kind')}, not {KIND}")
            network = Network(Shape.from_json(about["shape"]))
            state = {k: file.get_tensor(k).float() for k in file.keys()}  # noqa: SIM118
        network.load_state_dict(state)
    except OSError as e:
        raise InputError(f"cannot read the decoder {path}: {e.strerror or e}") from e
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as e:
        raise DamagedModelError(f"{path} holds no decoder for pyramids: {e}") from e
    network.eval().requires_grad_(False)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def card(path: Path) -> dict[str, Any]:
    """What the file says of itself: data, steps, configuration, licence."""
    with safe_open(path, "pt") as file:
        return json.loads((file.metadata() or {}).get("card", "{}"))


def write(path: Path, network: Network, about: dict[str, Any]) -> None:
    """Weights in half precision with `about` as their card."""
    state = {k: v.detach().cpu().half().contiguous() for k, v in network.state_dict().items()}
    metadata = {"kind": KIND, "shape": network.shape.to_json(), "card": json.dumps(about)}
    write_atomically(path, save(state, metadata), overwrite=True)
