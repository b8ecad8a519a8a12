"""A task and its batches to trained weights: schedule, averaging, checkpoints, a log; any task."""

from __future__ import annotations

import copy
import io
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm import tqdm

from tokcodec.errors import ArgumentError, DamagedModelError
from tokcodec.files import check_free, make_folder, read, write_atomically
from tokcodec.terminal import stopping, watched
from tokcodec.train import distributed
from tokcodec.train.config import START
from tokcodec.train.muon import Muon
from tokcodec.train.plot import plot

CHECKPOINT = "checkpoint.pt"
LOG = "log.tsv"
PLOT = "log.png"
Origin = Mapping[str, Any]  # by name: configuration and whatever else a run begins with
WARM_UP = 200  # steps over which the rate of learning rises


@dataclass(frozen=True)
class Schedule:
    """How long and how fast; the run ends with the first of `minutes` and `steps`.

    `minutes` are of training, over all resumptions. The rate falls from `rate` to `last` of it
    along a cosine (Loshchilov and Hutter, 2017).

    Attributes:
        rate: of learning, at its highest.
        last: the share of `rate` that is left at the end.
        decay: of weights, as in AdamW (Loshchilov and Hutter, 2019).
        clip: norm that gradients are scaled down to.
        average: share of the averaged weights that a step leaves as they were; 0 for none.
        save_minutes, check_minutes: between two checkpoints, and between two checks.
    """

    minutes: float | None = None
    steps: int | None = None
    rate: float = 1e-3
    last: float = 0.02
    decay: float = 0.01
    clip: float = 1.0
    average: float = 0.999
    save_minutes: float = 3.0
    check_minutes: float = 10.0

    def __post_init__(self) -> None:
        lengths = [n for n in (self.minutes, self.steps) if n is not None]
        if not lengths or not all(0 < n < math.inf for n in lengths):
            raise ArgumentError("say how long to train: minutes or steps, above 0")
        if not 0 < self.rate < math.inf or not 0 <= self.average < 1 or not self.clip > 0:
            raise ArgumentError("schedule: rate and clip are above 0, average lies in 0..1")
        rest = self.last, self.decay, self.save_minutes, self.check_minutes
        if not all(n >= 0 for n in rest) or not max(self.last, self.decay) < math.inf:
            raise ArgumentError("schedule: last, decay and minutes between are 0 or more")

    def progress(self, seconds: float, steps: int) -> float:
        """0 at the start, 1 at the end."""
        by_time = seconds / 60 / self.minutes if self.minutes else 0.0
        by_steps = steps / self.steps if self.steps else 0.0
        return min(1.0, max(by_time, by_steps))

    def rate_at(self, progress: float, steps: int) -> float:
        """The rate of learning there."""
        cosine = self.last + (1 - self.last) * 0.5 * (1 + math.cos(math.pi * progress))
        return self.rate * cosine * min(1.0, (steps + 1) / WARM_UP)


class Task(Protocol):
    """What is trained: a network, its loss, and how to tell whether it is good.

    Attributes:
        progress: of the run, 0..1; `train` sets it before each step.
    """

    progress: float

    @property
    def network(self) -> nn.Module:
        """What learns."""

    def hidden(self) -> list[nn.Parameter]:
        """Weights of hidden layers: Muon's. AdamW takes the rest."""

    def loss(self, network: nn.Module, batch: Tensor) -> tuple[Tensor, dict[str, float]]:
        """The loss of a batch, and numbers for the log."""

    def check(self, network: nn.Module, out: Path, step: int) -> dict[str, float]:
        """Numbers of the averaged network on held-out pictures; may write pictures to `out`."""

    def state(self) -> dict[str, Any]:
        """What else a checkpoint must hold: tensors, in dictionaries."""

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of `state`."""


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
    given = {k: _text(v) for k, v in (of or {}).items()}
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


def train(
    task: Task,
    batches: Iterator[Tensor],
    schedule: Schedule,
    out: Path,
    device: torch.device,
    resume: bool = False,
    of: Origin | None = None,
) -> State:
    """Train until the schedule ends; `average` of the result is what to keep (exponential moving
    average of the weights). Checkpoints tell what the run is `of`, so that it is not gone on with
    as another.

    Writes `out`/checkpoint.pt every few minutes, with every check and where the run is stopped
    (Ctrl-C, SIGTERM), `out`/log.tsv, a row a check, and its plot. Under `torchrun` every process
    works on batches of its own (DistributedDataParallel); the first one writes.
    """
    first = int(os.environ.get("RANK", "0")) == 0
    make_folder(out)
    network = task.network.to(device)
    state = State(
        task,
        network,
        copy.deepcopy(network).eval().requires_grad_(False),
        _optimisers(task, network, schedule),
        {name: _text(value) for name, value in (of or {}).items()},
    )
    if resume and (out / CHECKPOINT).exists():
        state.load(out / CHECKPOINT, device)
    worker: nn.Module = network
    if distributed.several():
        # Small crops have few resolutions: the coarsest of the network may go without gradients.
        # Buffers are constants, alike everywhere.
        worker = nn.parallel.DistributedDataParallel(
            network, find_unused_parameters=True, broadcast_buffers=False
        )
    progress = distributed.agreed(schedule.progress(state.seconds, state.step), device)
    bar = tqdm(total=100.0, initial=100 * progress, disable=not (first and watched()),
               bar_format="{l_bar}{bar}| {elapsed}<{remaining} {postfix}")  # fmt: skip
    saved = checked = time.monotonic()
    with _kept(state, out / CHECKPOINT, first):
        while progress < 1:
            began = time.monotonic()
            task.progress = progress
            batch = next(batches).to(device, non_blocking=True)
            _step(task, worker, state, batch, schedule, progress)
            now = time.monotonic()
            state.seconds += now - began
            progress = distributed.agreed(schedule.progress(state.seconds, state.step), device)
            bar.update(100 * progress - bar.n)
            if first and now - checked > 60 * schedule.check_minutes:
                row = _check(state, out)
                bar.set_postfix({k: f"{v:.3g}" for k, v in row.items()}, refresh=False)
                saved = checked = time.monotonic()
            elif first and now - saved > 60 * schedule.save_minutes:
                state.save(out / CHECKPOINT)
                saved = time.monotonic()
    bar.close()
    if first and state.checked_at != state.step:
        _check(state, out)
    return state


@contextmanager
def _kept(state: State, path: Path, first: bool) -> Iterator[None]:
    """The steps made here are not lost where somebody or something stops the run. The last one may
    be half done, which those to come make up for.
    """
    begun = state.step
    with stopping():
        try:
            yield
        except BaseException:  # a GPU that is full, photographs that are gone
            if first and state.step > begun:
                state.save(path)
            raise


def _check(state: State, out: Path) -> dict[str, float]:
    """Check the averaged network, and write the row that is returned, the plot and a checkpoint."""
    state.save(out / CHECKPOINT)  # whatever goes wrong from here on, the steps are kept
    state.checked = state.task.check(state.average, out, state.step)
    state.checked_at = state.step
    row = _means(state) | state.checked
    _log(out / LOG, {"step": state.step, "minutes": state.seconds / 60} | row)
    state.save(out / CHECKPOINT)  # with what the check found
    plot(out / LOG, out / PLOT)
    return row


def _text(value: Any) -> str:
    """The same for the same, whatever it is."""
    return json.dumps(value, sort_keys=True, default=str)


def _optimisers(task: Task, network: nn.Module, schedule: Schedule) -> list[torch.optim.Optimizer]:
    hidden = [p for p in task.hidden() if p.requires_grad]
    known = {id(p) for p in hidden}
    rest = [p for p in network.parameters() if p.requires_grad and id(p) not in known]
    adam = torch.optim.AdamW(rest, schedule.rate, weight_decay=schedule.decay)
    return [adam, *([Muon(hidden, schedule.rate, schedule.decay)] if hidden else [])]


def _step(
    task: Task, worker: nn.Module, state: State, batch: Tensor, schedule: Schedule, progress: float
) -> None:
    for optimiser in state.optimisers:
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate_at(progress, state.step)
        optimiser.zero_grad(set_to_none=True)
    loss, numbers = task.loss(worker, batch)
    loss.backward()
    size = nn.utils.clip_grad_norm_(state.network.parameters(), schedule.clip)
    if torch.isfinite(size):  # a single bad batch does not end a run of hours
        for optimiser in state.optimisers:
            optimiser.step()
    state.step += 1
    keep = min(schedule.average, (1 + state.step) / (10 + state.step))
    with torch.no_grad():
        for a, b in zip(state.average.parameters(), state.network.parameters(), strict=True):
            a.lerp_(b, 1 - keep)
    for name, value in numbers.items():
        state.numbers.setdefault(name, []).append(value)


def _means(state: State) -> dict[str, float]:
    means = {k: sum(v) / len(v) for k, v in state.numbers.items() if v}
    state.numbers = {}
    return means


def _log(path: Path, row: dict[str, Any]) -> None:
    """Add a row. A number that was not told since the check before is "nan" in it, and one that is
    told for the first time is "nan" in the rows before: a task may tell some of them rarely.
    """
    said = {k: f"{v:.5g}" if isinstance(v, float) else str(v) for k, v in row.items()}
    lines = read(path).decode(errors="replace").splitlines() if path.exists() else []
    head, *rows = (line.split("\t") for line in lines or ["\t".join(said)])
    head += [name for name in said if name not in head]
    rows = [r + ["nan"] * (len(head) - len(r)) for r in rows]
    rows.append([said.get(name, "nan") for name in head])
    text = "".join("\t".join(r) + "\n" for r in (head, *rows))
    write_atomically(path, text.encode(), overwrite=True)
