"""The training loop: it learns, averages, checks and logs, and no step that was made is lost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.train.middle import AT_ONCE, CPU, Interrupted, Middle, rows, weights  # noqa: E402
from tokcodec.train.checkpoint import steps_done  # noqa: E402
from tokcodec.train.loop import train  # noqa: E402
from tokcodec.train.schedule import Schedule  # noqa: E402


def test_it_learns_and_stops_in_time(astronaut: np.ndarray, tmp_path: Path) -> None:
    task = Middle(astronaut)
    before = task.error(task.network)
    state = train(task, task.batches(60), Schedule(steps=60, rate=0.1), tmp_path / "run", CPU)
    assert state.step == 60
    assert state.checked == {"error": task.error(state.average)}
    assert state.checked["error"] < 0.3 * before
    assert not state.average.training
    assert not any(p.requires_grad for p in state.average.parameters())


def test_a_run_of_minutes_ends_too(astronaut: np.ndarray, tmp_path: Path) -> None:
    task = Middle(astronaut)
    state = train(task, task.batches(10**6), Schedule(minutes=0.001), tmp_path, CPU)
    assert state.step > 0
    assert state.seconds >= 0.06


def test_the_average_follows_the_weights(astronaut: np.ndarray, tmp_path: Path) -> None:
    start = weights(Middle(astronaut).network)
    behind = []
    for average in (0.0, 0.5, 0.999):
        task = Middle(astronaut)
        schedule = Schedule(steps=30, rate=0.1, average=average)
        state = train(task, task.batches(30), schedule, tmp_path / str(average), CPU)
        behind.append(float((weights(state.average) - weights(state.network)).norm()))
    assert behind[0] < 1e-6 < behind[1] < behind[2]
    assert behind[2] < (weights(state.network) - start).norm()  # it forgets the start soon


def test_the_log_has_a_row_a_check(astronaut: np.ndarray, tmp_path: Path) -> None:
    task = Middle(astronaut)
    state = train(task, task.batches(4), Schedule(steps=4, **AT_ONCE), tmp_path, CPU)
    found = rows(tmp_path)
    assert [int(row["step"]) for row in found] == task.checks == [1, 2, 3, 4]
    assert list(found[0]) == ["step", "minutes", "loss", "error"]
    assert float(found[-1]["error"]) == pytest.approx(task.error(state.average), rel=1e-3)


def test_the_log_tells_the_mean_since_the_last_check(astronaut: np.ndarray, tmp_path: Path) -> None:
    task = Middle(astronaut)
    losses = [
        task.loss(task.network, batch)[1]["loss"]
        for _, batch in zip(range(5), task.batches(9), strict=False)
    ]
    for name, often, expected in (("end", {}, [np.mean(losses)]), ("each", AT_ONCE, losses)):
        train(task, task.batches(5), Schedule(steps=5, rate=1e-9, **often), tmp_path / name, CPU)
        found = [float(row["loss"]) for row in rows(tmp_path / name)]
        assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_batch_leaves_the_weights_alone(
    bad: float, astronaut: np.ndarray, tmp_path: Path
) -> None:
    schedule = Schedule(steps=40, rate=0.1)
    found = []
    for number in (3, 4):  # the last batch is bad
        task = Middle(astronaut)
        with pytest.raises(Interrupted):
            train(task, task.batches(number, spoilt={3: bad}), schedule, tmp_path / "part", CPU)
        found.append(weights(task.network))
    assert torch.equal(*found)
    task = Middle(astronaut)
    before = task.error(task.network)
    state = train(task, task.batches(40, spoilt={3: bad}), schedule, tmp_path / "whole", CPU)
    assert state.step == 40
    assert task.error(state.average) < 0.5 * before


class Rare(Middle):
    """Tells a number of every third batch, and another of the others."""

    steps = 0

    def loss(
        self, network: torch.nn.Module, batch: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, float]]:
        loss, numbers = super().loss(network, batch)
        if len(batch) == 64:  # not at a check
            self.steps += 1
            numbers["rare" if self.steps % 3 == 0 else "often"] = float(self.steps)
        return loss, numbers


def test_numbers_that_are_told_rarely_have_gaps(astronaut: np.ndarray, tmp_path: Path) -> None:
    task = Rare(astronaut)
    train(task, task.batches(4), Schedule(steps=4, **AT_ONCE), tmp_path, CPU)
    found = rows(tmp_path)
    assert [row["often"] for row in found] == ["1", "2", "nan", "4"]
    assert [row["rare"] for row in found] == ["nan", "nan", "3", "nan"]
    assert [float(row["error"]) > 0 for row in found] == [True] * 4


class Failing(Middle):
    """Its checks come to nothing."""

    def check(self, network: torch.nn.Module, out: Path, step: int) -> dict[str, float]:
        raise Interrupted


def test_steps_are_kept_whatever_happens_at_the_check(
    astronaut: np.ndarray, tmp_path: Path
) -> None:
    schedule, task = Schedule(steps=3, rate=0.1), Failing(astronaut)
    with pytest.raises(Interrupted):
        train(task, task.batches(3), schedule, tmp_path, CPU)
    assert steps_done(tmp_path) == 3
    task = Middle(astronaut, seed=1)
    again = train(task, iter([]), schedule, tmp_path, CPU, resume=True)
    assert again.step == 3
    assert again.checked == {"error": task.error(again.average)}
    assert task.checks == [3]
