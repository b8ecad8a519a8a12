"""What runs the parts of a trained network: one call for torch and for ONNX Runtime."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from tokcodec.decoders.shape import Shape


class Runtime(Protocol):
    """The parts of one network, for one picture; all arrays are float32.

    Resolutions are numbered from the finest, 0. Features are as wide as `shape.widths` says.
    """

    shape: Shape

    def conditions(self, received: np.ndarray, realism: np.ndarray) -> list[np.ndarray]:
        """What `received` (1, RECEIVED) and `realism` (1,) tell each resolution: (1, .), finest
        first.
        """

    def scale(
        self, i: int, inputs: np.ndarray, below: np.ndarray | None, condition: np.ndarray
    ) -> np.ndarray:
        """Features (1, C, h, w) of resolution `i` from its inputs (1, INPUTS, h, w) and from the
        features of the coarser one, if the picture has it: h and w of theirs are half as many,
        rounded up, or as many, where an axis is not split.
        """

    def out(self, x: np.ndarray) -> np.ndarray:
        """The finest features (1, C, h, w) to the correction (1, BANDS, h, w), in spreads."""
