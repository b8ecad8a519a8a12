"""A finished run to the card in the file of its weights: data, configuration, results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tokcodec.train.checkpoint import State
from tokcodec.train.config import for_card


def card_of(config: Any, images: Sequence[Path], trained: State, **tables: Any) -> dict[str, Any]:
    """What every card says of its run.

    Args:
        config: the configuration, a dataclass.
        tables: tables of it as they were read, defaults filled in, by their names: dataclasses.
    """
    read = {name: asdict(table) for name, table in tables.items()}
    return {
        "held_out": trained.checked,
        "images": [p.name for p in images],
        "config": for_card({**asdict(config), **read}),
        "steps": trained.step,
        "minutes": trained.seconds / 60,
    }
