"""Several processes that train one network (`torchrun`): what they have to agree on."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def several() -> bool:
    """Whether this process is one of several."""
    return torch.distributed.is_available() and torch.distributed.is_initialized()


@contextmanager
def process(device: torch.device) -> Iterator[tuple[int, torch.device]]:
    """This process's rank and device: under `torchrun` one of several, each with a GPU of its own,
    else the only one.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield 0, device
        return
    cuda = device.type == "cuda"
    torch.distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        local = int(os.environ["LOCAL_RANK"])
        yield torch.distributed.get_rank(), torch.device("cuda", local) if cuda else device
    finally:
        torch.distributed.destroy_process_group()


def agreed(progress: float, device: torch.device) -> float:
    """The first process's progress, told to all: one rate of learning, and one end."""
    if not several():
        return progress
    told = torch.tensor([progress], dtype=torch.float64, device=device)
    torch.distributed.broadcast(told, 0)
    return float(told)


def alike(module: nn.Module) -> None:
    """The first process's weights, told to all."""
    if several():
        for x in (*module.parameters(), *module.buffers()):
            torch.distributed.broadcast(x.data, 0)


def average(gradients: Iterable[Tensor | None]) -> None:
    """Each gradient becomes the mean of those of all processes."""
    if several():
        for x in gradients:
            if x is not None:
                torch.distributed.all_reduce(x)
                x /= torch.distributed.get_world_size()
