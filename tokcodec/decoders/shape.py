"""The shape of the neural decoder's network: what its parts are called, and how large they are."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np

from tokcodec.decoders.noise import NOISE
from tokcodec.decoders.received import CHANNELS, RECEIVED
from tokcodec.decoders.steps import PARTS

SPREAD = (64.0, 16.0, 16.0, 8.0)  # typical size of low band, across, down, diagonal: to about 1
BANDS = PARTS * CHANNELS  # channels of a resolution: low band and details, side by side
INPUTS = BANDS + NOISE  # channels that go into each resolution
LEAK = 0.1  # slope of the activation below zero
MOST = 2048  # channels, blocks of a resolution, hidden numbers: what a file may ask for


def spread() -> np.ndarray:
    """`SPREAD` of every channel of a resolution: float32 (BANDS, 1, 1)."""
    return np.repeat(np.array(SPREAD, np.float32), CHANNELS)[:, None, None]


@dataclass(frozen=True)
class Shape:
    """Width and number of residual blocks of each resolution, finest first."""

    widths: tuple[int, ...] = (32, 64, 96, 128, 128)
    blocks: tuple[int, ...] = (1, 2, 3, 3, 2)
    hidden: int = 128

    @property
    def conditions(self) -> list[int]:
        """How many numbers the condition gives to each resolution, finest first: for each block and
        channel a scale and a shift.
        """
        return [2 * w * n for w, n in zip(self.widths, self.blocks, strict=True)]

    def parameters(self) -> dict[str, tuple[int, ...]]:
        """The shape of every weight, by its name in `Network` and in files."""
        found = {
            "condition.0": (self.hidden, RECEIVED + 1),
            "condition.2": (sum(self.conditions), self.hidden),
            "out": (BANDS, self.widths[0], 3, 3),
        }
        for i, (w, blocks) in enumerate(zip(self.widths, self.blocks, strict=True)):
            found[f"scales.{i}.embed"] = (w, INPUTS, 3, 3)
            if i + 1 < len(self.widths):
                found[f"scales.{i}.up"] = (w, self.widths[i + 1], 1, 1)
            for n in range(blocks):
                for layer in ("first", "second"):
                    found[f"scales.{i}.blocks.{n}.{layer}"] = (w, w, 3, 3)
        biases = {f"{name}.bias": size[:1] for name, size in found.items()}
        return {f"{name}.weight": size for name, size in found.items()} | biases

    def to_json(self) -> str:
        """As text, for a file's metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Shape:
        """The inverse of `to_json`; ValueError, KeyError or TypeError for anything else."""
        found = json.loads(text)
        if unknown := set(found) - {"widths", "blocks", "hidden"}:
            raise ValueError(f"a network's shape has no {', '.join(sorted(unknown))}")
        shape = cls(tuple(found["widths"]), tuple(found["blocks"]), found["hidden"])
        numbers = (*shape.widths, *shape.blocks, shape.hidden)
        if not all(isinstance(n, int) and 0 < n <= MOST for n in numbers):
            raise ValueError(f"widths, blocks and hidden are whole numbers in 1..{MOST}")
        if not 0 < len(shape.widths) == len(shape.blocks):
            raise ValueError("widths and blocks have one number each for every resolution")
        return shape
