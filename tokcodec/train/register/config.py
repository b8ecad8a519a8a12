"""What a configuration may say of a register tokenizer's training. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokcodec.train.config import read_config

TOKENIZER = "register.safetensors"  # in the folder of a run
SIZES = (
    {"side": 64, "batch": 32, "share": 0.4},
    {"side": 96, "height": 64, "batch": 32, "share": 0.6},
)


@dataclass(frozen=True)
class Config:
    """What a configuration file (TOML) may say; docs/training.md explains each.

    `network` is a size and what differs from it (`register.own.shape.shape_from`), `sizes` are
    `Sizes`, `schedule` is a `Schedule` (of `plan.MINUTES`, if it does not say how long), `aims` are
    `Aims`, each as a table.
    """

    seed: int = 0
    workers: int = 1  # processes that read photographs
    grey: float = 0.06  # share of crops without colour
    drawn: float = 0.04  # share of drawings instead: text, shapes, patterns, gradients
    shrink: float = 1.5  # by how much photographs are scaled down at least
    start: int = 16  # batches from which the linear codec is made that training begins with
    check_count: int = 48  # held-out photographs
    network: dict[str, Any] = field(default_factory=dict)
    sizes: list[dict[str, Any]] = field(default_factory=lambda: [dict(s) for s in SIZES])
    schedule: dict[str, Any] = field(default_factory=dict)
    aims: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Config:
        """Raises InputError for a file that cannot be read, ArgumentError for what it says."""
        return read_config(cls, path)
