"""The loop: when it ends, how fast it learns, and going on as if nothing had happened."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tokcodec.errors import ArgumentError, DamagedModelError, OutputExistsError

torch = pytest.importorskip("torch")

from tokcodec.train.checkpoint import CHECKPOINT, LOG, State, steps_before, steps_done  # noqa: E402
from tokcodec.train.loop import train  # noqa: E402
from tokcodec.train.schedule import WARM_UP, Schedule  # noqa: E402

CPU = torch.device("cpu")
AT_ONCE = {"save_minutes": 0.0, "check_minutes": 0.0}  # after every step


@pytest.fixture(autouse=True)
def _ctrl_c() -> Iterator[None]:
    """It stops a program, also where the tests were started by one that ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Interrupted(Exception):
    """The machine is needed for something else."""


class Middle:
    """A task that is quickly learnt: the middle of 3x3 pixels from the eight around it."""

    def __init__(self, picture: np.ndarray, seed: int = 0) -> None:
        torch.manual_seed(seed)
        self.network = torch.nn.Sequential(
            torch.nn.Linear(8, 6), torch.nn.Tanh(), torch.nn.Linear(6, 1)
        )
        rows = np.lib.stride_tricks.sliding_window_view(picture[..., 1], (3, 3)).reshape(-1, 9)
        self.pixels = torch.from_numpy(rows.astype(np.float32) / 128 - 1)
        self.checks: list[int] = []

    def hidden(self) -> list[torch.nn.Parameter]:
        return [p for p in self.network.parameters() if p.ndim == 2][:1]

    def loss(
        self, network: torch.nn.Module, batch: torch.Tensor
    ) -> tuple[torch.Tensor, dict[str, float]]:
        found = network(torch.cat([batch[:, :4], batch[:, 5:]], 1))
        loss = (found - batch[:, 4:5]).square().mean()
        return loss, {"loss": float(loss.detach())}

    def check(self, network: torch.nn.Module, out: Path, step: int) -> dict[str, float]:
        self.checks.append(step)
        return {"error": self.error(network)}

    def state(self) -> dict[str, torch.Tensor]:
        return {"checks": torch.tensor(self.checks)}

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        self.checks = state["checks"].tolist()

    def error(self, network: torch.nn.Module) -> float:
        return self.loss(network, self.pixels)[1]["loss"]

    def batches(
        self, number: int, first: int = 0, spoilt: dict[int, float] | None = None
    ) -> Iterator[torch.Tensor]:
        """`number` batches from the one called `first` on; who asks for more is interrupted."""
        for i in range(first, first + number):
            chosen = np.random.default_rng(i).integers(0, len(self.pixels), 64)
            batch = self.pixels[torch.from_numpy(chosen)]
            yield batch if i not in (spoilt or {}) else torch.full_like(batch, spoilt[i])
        raise Interrupted


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in network.parameters()])


def moments(state: State) -> torch.Tensor:
    """What the optimisers remember."""
    found = [m for o in state.optimisers for m in o.state_dict()["state"].values()]
    return torch.cat([v.flatten() for m in found for v in m.values()])


def rows(out: Path) -> list[dict[str, str]]:
    """The log, a dictionary a row."""
    head, *lines = [line.split("\t") for line in (out / LOG).read_text().splitlines()]
    return [dict(zip(head, line, strict=True)) for line in lines]


# ---- schedule


def test_the_first_of_minutes_and_steps_ends_the_run() -> None:
    both = Schedule(minutes=2, steps=100)
    assert both.progress(0, 0) == 0
    assert both.progress(60, 10) == 0.5
    assert both.progress(12, 80) == 0.8
    assert both.progress(500, 10) == both.progress(0, 100) == both.progress(999, 999) == 1
    assert Schedule(minutes=2).progress(30, 10**6) == 0.25
    assert Schedule(steps=100).progress(10**6, 25) == 0.25


@pytest.mark.parametrize("lengths", [{}, {"minutes": 0}, {"steps": 0}, {"minutes": 0, "steps": 0}])
def test_a_run_has_an_end(lengths: dict[str, int]) -> None:
    with pytest.raises(ArgumentError, match="how long"):
        Schedule(**lengths)


def test_the_rate_rises_and_falls() -> None:
    schedule = Schedule(steps=10**5, rate=0.5, last=0.1)
    rising = [schedule.rate_at(0.0, n) for n in range(WARM_UP)]
    assert rising == sorted(set(rising))
    assert rising[-1] == schedule.rate_at(0.0, 10**4) == pytest.approx(0.5)
    falling = [schedule.rate_at(p, 10**4) for p in np.linspace(0, 1, 50)]
    assert falling == sorted(set(falling), reverse=True)
    assert falling[-1] == pytest.approx(0.05)
    assert schedule.rate_at(0.5, 10**4) == pytest.approx(0.275)


# ---- a run


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


# ---- going on


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
