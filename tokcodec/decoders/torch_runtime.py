"""A trained network run by torch."""

from __future__ import annotations

import numpy as np
import torch

from tokcodec.decoders.network import Network


class TorchRuntime:
    """See `Runtime`."""

    def __init__(self, network: Network) -> None:
        self.network, self.shape = network, network.shape

    @torch.inference_mode()
    def conditions(self, received: np.ndarray, realism: np.ndarray) -> list[np.ndarray]:
        found = self.network.conditions(torch.from_numpy(received), torch.from_numpy(realism))
        return [x.numpy() for x in found]

    @torch.inference_mode()
    def scale(
        self, i: int, inputs: np.ndarray, below: np.ndarray | None, condition: np.ndarray
    ) -> np.ndarray:
        features = None if below is None else torch.from_numpy(below)
        given = torch.from_numpy(inputs), features, torch.from_numpy(condition)
        return self.network.scales[i](*given).numpy()

    @torch.inference_mode()
    def out(self, x: np.ndarray) -> np.ndarray:
        return self.network.out(torch.from_numpy(x)).numpy()
