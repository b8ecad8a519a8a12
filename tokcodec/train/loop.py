"""A task and its batches to trained weights: averaging, checks, checkpoints, a log; any task."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from tokcodec.files import make_folder, read, write_atomically
from tokcodec.terminal import stopping, watched
from tokcodec.train import distributed
from tokcodec.train.checkpoint import CHECKPOINT, LOG, Origin, State, as_text
from tokcodec.train.muon import Muon
from tokcodec.train.plot import plot
from tokcodec.train.schedule import Schedule
from tokcodec.train.task import Task

PLOT = "log.png"


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
        {name: as_text(value) for name, value in (of or {}).items()},
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
