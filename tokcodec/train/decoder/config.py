"""What a configuration may say of a decoder's training. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokcodec.train.config import RATES, read_config

DECODER = "decoder.safetensors"  # in the folder of a run
SIZES = (
    {"side": 128, "batch": 8, "share": 0.6},
    {"side": 192, "batch": 4, "share": 0.3},
    {"side": 192, "height": 12, "batch": 16, "share": 0.1},
)


@dataclass(frozen=True)
class Config:
    """What a configuration file (TOML) may say; docs/training.md explains each.

    `network` is a `Shape`, `sizes` are `Sizes`, `schedule` is a `Schedule` (of `plan.MINUTES`, if
    it does not say how long), `realism`, if it is there, a `Realism`, each as a table.
    """

    model: str = "default"  # whose streams it will decode: a name, or the path of a model file
    seed: int = 0
    workers: int = 1  # processes that read photographs
    grey: float = 0.06  # share of crops without colour
    drawn: float = 0.08  # share of drawings instead: text, shapes, patterns, gradients
    shrink: float = 1.5  # by how much photographs are scaled down at least: JPEG's traces vanish
    rates: list[float] = field(default_factory=lambda: list(RATES))  # digits a pixel of most cuts
    check_side: int = 256  # pixels a side of the held-out photographs to check with
    check_count: int = 24
    network: dict[str, Any] = field(default_factory=dict)
    sizes: list[dict[str, Any]] = field(default_factory=lambda: [dict(s) for s in SIZES])
    schedule: dict[str, Any] = field(default_factory=dict)
    realism: dict[str, Any] | None = None  # without: only squared error counts

    @classmethod
    def read(cls, path: Path) -> Config:
        """Raises InputError for a file that cannot be read, ArgumentError for what it says."""
        return read_config(cls, path)
