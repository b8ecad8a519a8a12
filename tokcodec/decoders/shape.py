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
INPUTS = BANDS + NOISE  # channels that go into each resolution: its bands, then noise
LEAK = 0.1  # slope of the activation below zero
MAX_SIZE = 2048  # channels, blocks of a resolution, hidden numbers: what a file may ask for,
MAX_SCALES = 16  # and resolutions


def spread() -> np.ndarray:
    """`SPREAD` of every channel of a resolution: float32 (BANDS, 1, 1)."""
    return np.repeat(np.array(SPREAD, np.float32), CHANNELS)[:, None, None]


@dataclass(frozen=True)
class Shape:
    """Width and number of residual blocks of each resolution, finest first; `realism` counts the
    blocks that draw as much as realism is wanted, none in a network that knows only realism 0.
    """

    widths: tuple[int, ...] = (32, 64, 96, 128, 128)
    blocks: tuple[int, ...] = (1, 2, 3, 3, 2)
    hidden: int = 128
    realism: tuple[int, ...] = ()

    @property
    def films(self) -> list[int]:
        """How many numbers tell each resolution what was received, finest first: for each block and
        channel a scale and a shift.
        """
        return [2 * w * n for w, n in zip(self.widths, self.blocks, strict=True)]

    @property
    def styles(self) -> list[int]:
        """The same for the blocks of realism."""
        return [2 * w * n for w, n in zip(self.widths, self.realism, strict=False)]

    @property
    def conditions(self) -> list[int]:
        """How many numbers each resolution is told in all: films, styles, the realism wanted."""
        if not self.realism:
            return self.films
        return [f + s + 1 for f, s in zip(self.films, self.styles, strict=True)]

    def parameters(self) -> dict[str, tuple[int, ...]]:
        """The shape of every weight, by its name in `Network` and in files."""
        found = {
            "condition.0": (self.hidden, RECEIVED),
            "condition.2": (sum(self.films), self.hidden),
            "out": (BANDS, self.widths[0], 3, 3),
        }
        if self.realism:
            found["style.0"] = self.hidden, RECEIVED + 1
            found["style.2"] = sum(self.styles), self.hidden
        for i, (w, blocks) in enumerate(zip(self.widths, self.blocks, strict=True)):
            found[f"scales.{i}.embed"] = (w, BANDS, 3, 3)
            if i + 1 < len(self.widths):
                found[f"scales.{i}.up"] = (w, self.widths[i + 1], 1, 1)
            for n in range(blocks):
                for layer in ("first", "second"):
                    found[f"scales.{i}.blocks.{n}.{layer}"] = (w, w, 3, 3)
            if self.realism:
                found[f"scales.{i}.noisy"] = (w, INPUTS, 3, 3)
                for n in range(self.realism[i]):
                    for layer in ("first", "second"):
                        found[f"scales.{i}.realism.{n}.{layer}"] = (w, w, 3, 3)
        biases = {f"{name}.bias": size[:1] for name, size in found.items()}
        return {f"{name}.weight": size for name, size in found.items()} | biases

    def to_json(self) -> str:
        """As text, for a file's metadata."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Shape:
        """The inverse of `to_json`; ValueError, KeyError or TypeError for anything else."""
        try:
            found = dict(json.loads(text))
        except RecursionError:
            raise ValueError("a network's shape is not nested so deeply") from None
        if unknown := set(found) - {"widths", "blocks", "hidden", "realism"}:
            raise ValueError(f"a network's shape has no {', '.join(sorted(unknown))}")
        realism = tuple(found.get("realism", ()))
        shape = cls(tuple(found["widths"]), tuple(found["blocks"]), found["hidden"], realism)
        numbers = (*shape.widths, *shape.blocks, *shape.realism, shape.hidden)
        if not all(type(n) is int and 0 < n <= MAX_SIZE for n in numbers):
            raise ValueError(
                f"widths, blocks, realism and hidden are whole numbers in 1..{MAX_SIZE}"
            )
        if not 0 < len(shape.widths) == len(shape.blocks) <= MAX_SCALES:
            raise ValueError(
                "widths and blocks have one number each for every resolution, of which there are "
                f"{MAX_SCALES} at most"
            )
        if len(shape.realism) not in (0, len(shape.widths)):
            raise ValueError("realism has one number for every resolution, or none")
        return shape
