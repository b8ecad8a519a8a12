"""The name of a device to torch's device, if it is at hand. Needs torch."""

from __future__ import annotations

from typing import Any

import torch

from tokcodec.errors import ArgumentError, first_line


def find(name: Any = None) -> torch.device:
    """The device of that name.

    Args:
        name: "cpu" (None), "cuda", "cuda:1", ... or a torch.device.

    Raises:
        ArgumentError: there is no such device, or none at hand.
    """
    try:
        device = torch.device("cpu" if name is None else name)
    except (RuntimeError, TypeError) as e:
        raise ArgumentError(f"no device {name!r}; there are cpu, cuda, cuda:1, ...") from e
    if device.type == "cuda":
        if (device.index or 0) >= torch.cuda.device_count():
            raise ArgumentError(f"the device {name} cannot be used: no such CUDA device at hand")
        return device
    try:  # of other kinds torch knows only by trying
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, NotImplementedError) as e:
        raise ArgumentError(f"the device {name} cannot be used: {first_line(e)}") from e
    return device


def half(device: torch.device) -> bool:
    """Whether bfloat16 is the faster precision there: on GPUs, and on processors that multiply it
    (AVX-512 BF16, AMX).
    """
    if device.type != "cpu":
        return device.type == "cuda"
    found = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return any(found.get(name) for name in ("avx512_bf16", "amx_bf16"))
