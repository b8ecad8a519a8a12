"""A trained network run by torch, on a CPU or a GPU."""

from __future__ import annotations

import os
from functools import partial

import numpy as np
import torch
from torch import Tensor

from tokcodec.decoders.network import Network

if hasattr(os, "register_at_fork"):
    # OpenMP's threads stay behind at a fork: a child that gives them work waits for ever.
    os.register_at_fork(after_in_child=partial(torch.set_num_threads, 1))

PRECISIONS = ("float32", "bfloat16")  # of convolutions; the rest is float32


class TorchRuntime:
    """See `Runtime`. `precision` is one of `PRECISIONS`."""

    def __init__(
        self, network: Network, device: torch.device | None = None, precision: str = PRECISIONS[0]
    ) -> None:
        self._device, self._half = device or torch.device("cpu"), precision != PRECISIONS[0]
        self.network, self.shape = network.to(self._device), network.shape

    @torch.inference_mode()
    def conditions(self, received: np.ndarray, realism: np.ndarray) -> list[np.ndarray]:
        found = self.network.conditions(self._there(received), self._there(realism))
        return [_back(x) for x in found]

    @torch.inference_mode()
    def scale(
        self, i: int, inputs: np.ndarray, below: np.ndarray | None, condition: np.ndarray
    ) -> np.ndarray:
        features = None if below is None else self._there(below)
        # As the weights are laid out, for all convolutions that see them.
        seen = self._there(inputs).contiguous(memory_format=torch.channels_last)
        with self._precision():
            return _back(self.network.scales[i](seen, features, self._there(condition)))

    @torch.inference_mode()
    def out(self, x: np.ndarray) -> np.ndarray:
        with self._precision():
            return _back(self.network.out(self._there(x)))

    def _there(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(array).to(self._device)

    def _precision(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, self._half)


def _back(x: Tensor) -> np.ndarray:
    return x.float().cpu().numpy()
