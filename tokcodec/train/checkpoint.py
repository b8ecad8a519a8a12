"""Where a run stands, to a file and back: what `--resume` goes on with."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tokcodec.errors import ArgumentError, DamagedModelError
from tokcodec.files import check_free, write_atomically
from tokcodec.train.config import START
from tokcodec.train.task import Task

CHECKPOINT = "checkpoint.pt"
LOG = "log.tsv"  # a row a check
Origin = Mapping[str, Any]  # by name: configuration and whatever else a run begins with


@dataclass
class State:
    """All that a run needs to go on."""

    task: Task
    network: nn.Module
    average: nn.Module
    optimisers: list[torch.optim.Optimizer]
    of: dict[str, str] = field(default_factory=dict)  # what it was begun with
    step: int = 0
    seconds: float = 0.0
    checked: dict[str, float] = field(default_factory=dict)  # the last check's numbers,
    checked_at: int = 0  # and the step that it came after
    numbers: dict[str, list[float]] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write it whole, or leave what was there."""
        out = io.BytesIO()
        torch.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimisers": [o.state_dict() for o in self.optimisers],
                "task": self.task.state(),
                "of": self.of,
                "step": self.step,
                "seconds": self.seconds,
                "checked": self.checked,
                "checked_at": self.checked_at,
            },
            out,
        )
        write_atomically(path, out.getvalue(), overwrite=True)

    def load(self, path: Path, device: torch.device) -> None:
        """Go on from there."""
        try:
            found = torch.load(path, map_location=device, weights_only=True)
            self.network.load_state_dict(found["network"])
            self.average.load_state_dict(found["average"])
            for optimiser, held in zip(self.optimisers, found["optimisers"], strict=True):
                optimiser.load_state_dict(held)
            self.task.restore(found["task"])
            self.step, self.seconds = int(found["step"]), float(found["seconds"])
            # Missing in older checkpoints: then a finished run is checked again.
            self.checked = dict(found.get("checked", {}))
            self.checked_at = int(found.get("checked_at", 0))
        except Exception as e:  # torch's readers raise anything at damage, UnpicklingError first
            raise DamagedModelError(
                f"cannot go on from {path} (a run wants the configuration and the --start that it "
                f"began with): {type(e).__name__}: {e}"
            ) from e


def steps_done(out: Path, of: Origin | None = None) -> int:
    """Steps of the run in a folder so far; 0 if there is none. Raises as `steps_before`."""
    path = out / CHECKPOINT
    if not path.exists():
        return 0
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        step, before = int(found["step"]), dict(found.get("of", {}))  # older ones do not say
    except Exception as e:
        raise DamagedModelError(f"cannot go on from {path}: {type(e).__name__}: {e}") from e
    given = {k: as_text(v) for k, v in (of or {}).items()}
    # Older runs do not say all of it, but each says whether it began with --start.
    other = [k for k in given if k in before and before[k] != given[k]]
    other += [START] * (before != {} and START in given and START not in before)
    if other:
        raise ArgumentError(
            f"the run in {out} began with another {', '.join(other)} (it says "
            f"{before.get(other[0], 'none'):.60}): give --resume what it began with, or begin "
            "another run"
        )
    return step


def steps_before(out: Path, resume: bool, result: str, of: Origin | None = None) -> int:
    """Steps of the run in a folder, if it is to be gone on with; 0 of a new one.

    Args:
        result: name of the file that the run is to leave there.
        of: what the run is of, as given to `train`.

    Raises:
        ArgumentError: there is a run, and it is not to be gone on with, or the other way about; it
            began with something else.
        DamagedModelError: its checkpoint cannot be read.
        OutputError: there is a file of that name or an old log, or none can be written.
    """
    there = (out / CHECKPOINT).exists()
    if resume and not there:
        raise ArgumentError(f"there is no run in {out} to go on with: leave --resume out to begin")
    if resume:
        return steps_done(out, of)
    if there:
        raise ArgumentError(f"there is a run in {out}: go on with --resume, or move it away")
    check_free(out / result)
    check_free(out / LOG)
    return 0


def as_text(value: Any) -> str:
    """The same for the same, whatever it is."""
    return json.dumps(value, sort_keys=True, default=str)
