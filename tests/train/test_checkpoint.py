"""Checkpoints: a run that was stopped goes on as if nothing had happened, damage is told."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tokcodec.errors import ArgumentError, DamagedModelError, OutputExistsError

torch = pytest.importorskip("torch")

from tests.train.middle import (  # noqa: E402
    AT_ONCE,
    CPU,
    Interrupted,
    Middle,
    moments,
    rows,
    weights,
)
from tokcodec.train.checkpoint import CHECKPOINT, LOG, steps_before, steps_done  # noqa: E402
from tokcodec.train.loop import train  # noqa: E402
from tokcodec.train.schedule import Schedule  # noqa: E402


@pytest.fixture(autouse=True)
def _ctrl_c() -> Iterator[None]:
    """It stops a program, also where the tests were started by one that ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Stopped(Middle):
    """Somebody presses Ctrl-C, or a service manager sends SIGTERM, in the sixth step."""

    def __init__(self, picture: np.ndarray, number: signal.Signals | None = None) -> None:
        super().__init__(picture)
        self.number, self.steps = number, 0

    def loss(
        self, network: torch.nn.Module, batch: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, float]]:
        self.steps += 1
        if self.number and self.steps == 6:
            signal.raise_signal(self.number)
        return super().loss(network, batch)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_keeps_its_steps(
    number: signal.Signals, astronaut: np.ndarray, tmp_path: Path
) -> None:
    task, schedule = Stopped(astronaut, number), Schedule(steps=20)
    with pytest.raises(KeyboardInterrupt):
        train(task, task.batches(30), schedule, tmp_path, CPU)
    assert steps_done(tmp_path) == 5
    again = Stopped(astronaut)
    assert train(again, again.batches(30), schedule, tmp_path, CPU, resume=True).step == 20
    assert again.steps == 15 + 1  # the check looks at the loss, too


def test_a_run_that_breaks_keeps_its_steps(astronaut: np.ndarray, tmp_path: Path) -> None:
    task = Middle(astronaut)
    with pytest.raises(Interrupted):
        train(task, task.batches(7), Schedule(steps=20), tmp_path, CPU)
    assert steps_done(tmp_path) == 7


def test_a_run_that_is_stopped_before_its_first_step_leaves_nothing(
    astronaut: np.ndarray, tmp_path: Path
) -> None:
    task = Stopped(astronaut, signal.SIGINT)
    task.steps = 5
    with pytest.raises(KeyboardInterrupt):
        train(task, task.batches(30), Schedule(steps=20), tmp_path, CPU)
    assert not (tmp_path / CHECKPOINT).exists()


def interrupted(picture: np.ndarray, out: Path, after: int, schedule: Schedule) -> None:
    task = Middle(picture)
    with pytest.raises(Interrupted):
        train(task, task.batches(after), schedule, out, CPU)


def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(
    astronaut: np.ndarray, tmp_path: Path
) -> None:
    schedule = Schedule(steps=6, rate=0.1, **AT_ONCE)
    task = Middle(astronaut)
    whole = train(task, task.batches(6), schedule, tmp_path / "whole", CPU)
    interrupted(astronaut, tmp_path / "part", 3, schedule)
    task = Middle(astronaut, seed=1)  # other weights, not to be used
    part = train(task, task.batches(3, first=3), schedule, tmp_path / "part", CPU, resume=True)
    assert (part.step, part.checked) == (6, whole.checked)
    assert torch.equal(weights(part.network), weights(whole.network))
    assert torch.equal(weights(part.average), weights(whole.average))
    assert torch.equal(moments(part), moments(whole))
    assert [row["step"] for row in rows(tmp_path / "part")] == ["1", "2", "3", "4", "5", "6"]
    assert float(rows(tmp_path / "part")[3]["minutes"]) > float(
        rows(tmp_path / "part")[2]["minutes"]
    )


def test_a_run_that_is_not_resumed_starts_anew(astronaut: np.ndarray, tmp_path: Path) -> None:
    schedule = Schedule(steps=4, rate=0.1, **AT_ONCE)
    found = []
    for resume in (True, False):  # at first there is nothing to go on from
        task = Middle(astronaut)
        state = train(task, task.batches(4), schedule, tmp_path, CPU, resume)
        assert (state.step, task.checks) == (4, [1, 2, 3, 4])
        found.append(weights(state.average))
    assert torch.equal(*found)


def test_a_finished_run_stays_as_it_is(astronaut: np.ndarray, tmp_path: Path) -> None:
    task, schedule = Middle(astronaut), Schedule(steps=3, rate=0.1)
    done = train(task, task.batches(3), schedule, tmp_path, CPU)
    again = train(Middle(astronaut, seed=1), iter([]), schedule, tmp_path, CPU, resume=True)
    assert (again.step, again.seconds, again.checked) == (3, done.seconds, done.checked)
    assert torch.equal(weights(again.average), weights(done.average))
    assert len(rows(tmp_path)) == 1


def test_a_finished_run_of_an_older_version_is_checked_again(
    astronaut: np.ndarray, tmp_path: Path
) -> None:
    task, schedule = Middle(astronaut), Schedule(steps=3, rate=0.1)
    done = train(task, task.batches(3), schedule, tmp_path, CPU)
    path = tmp_path / CHECKPOINT
    content = torch.load(path, weights_only=True)
    path.write_bytes(saved({k: v for k, v in content.items() if not k.startswith("checked")}))
    again = train(Middle(astronaut, seed=1), iter([]), schedule, tmp_path, CPU, resume=True)
    assert again.checked == done.checked


def test_there_must_be_a_run_to_go_on_with(astronaut: np.ndarray, tmp_path: Path) -> None:
    assert steps_before(tmp_path / "run", False, "x") == 0
    with pytest.raises(ArgumentError, match="no run"):
        steps_before(tmp_path / "run", True, "x")
    interrupted(astronaut, tmp_path / "run", 2, Schedule(steps=6, **AT_ONCE))
    assert steps_before(tmp_path / "run", True, "x") == 2
    with pytest.raises(ArgumentError, match="--resume"):
        steps_before(tmp_path / "run", False, "x")


@pytest.mark.parametrize("name", ["decoder.safetensors", LOG])
def test_a_new_run_replaces_no_file(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(OutputExistsError, match=name):
        steps_before(tmp_path, False, "decoder.safetensors")
    assert (tmp_path / name).read_text() == "precious"


def saved(content: object) -> bytes:
    out = io.BytesIO()
    torch.save(content, out)
    return out.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda good: b"",
        lambda good: b"This is no checkpoint.",
        lambda good: bytes(100),
        lambda good: b"\xff" * 100,
        lambda good: good[: len(good) // 2],
        lambda good: good[:-1],
        lambda good: saved([1, 2]),
        lambda good: saved({"network": {}}),
        lambda good: saved({**torch.load(io.BytesIO(good), weights_only=True), "optimisers": 5}),
        lambda good: saved({**torch.load(io.BytesIO(good), weights_only=True), "step": None}),
        lambda good: saved(torch.nn.Linear(2, 2)),
    ],
    ids=["empty", "text", "zeros", "ones", "half", "cut", "list", "few", "part", "none", "module"],
)
def test_a_damaged_checkpoint_is_told(damage, astronaut: np.ndarray, tmp_path: Path) -> None:
    schedule = Schedule(steps=6, **AT_ONCE)
    interrupted(astronaut, tmp_path, 2, schedule)
    path = tmp_path / CHECKPOINT
    path.write_bytes(damage(path.read_bytes()))
    task = Middle(astronaut)
    with pytest.raises(DamagedModelError, match=CHECKPOINT):
        train(task, task.batches(6), schedule, tmp_path, CPU, resume=True)


def test_a_checkpoint_of_another_network_is_told(astronaut: np.ndarray, tmp_path: Path) -> None:
    schedule = Schedule(steps=6, **AT_ONCE)
    interrupted(astronaut, tmp_path, 2, schedule)
    task = Middle(astronaut)
    task.network = torch.nn.Linear(8, 1)
    with pytest.raises(DamagedModelError, match=CHECKPOINT):
        train(task, task.batches(6), schedule, tmp_path, CPU, resume=True)
