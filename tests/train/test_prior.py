"""The trainer of a prior: what it learns from, that it learns, and that integers keep it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tokcodec.cli import main
from tokcodec.codec import Codec
from tokcodec.model import FEATURES, NETWORK, Model
from tokcodec.prior import prior_for
from tokcodec.prior.network import Network
from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import order_for
from tokcodec.train.digits import DIGIT, UNIT, UNITS, digits_of, unit_of

torch = pytest.importorskip("torch")

from tokcodec.cli.train.prior import MODEL  # noqa: E402
from tokcodec.train.levels import slots  # noqa: E402
from tokcodec.train.prior import (  # noqa: E402
    KIND,
    PriorNetwork,
    PriorTask,
    drawn,
    likelihood,
    to_model,
)

Photograph = Callable[[str, int, int], np.ndarray]


@pytest.fixture
def batches(photograph: Photograph) -> list[np.ndarray]:
    names = ("coffee", "chelsea", "rocket", "motorcycle_left")
    return [np.stack([photograph(n, 96, 64) for n in names])]


@pytest.fixture
def folder(tmp_path: Path, photograph: Photograph) -> Path:
    """Eighteen small photographs."""
    from PIL import Image

    (tmp_path / "photographs").mkdir()
    for i in range(18):
        name = ("coffee", "chelsea", "rocket", "astronaut")[i % 4]
        picture = Image.fromarray(photograph(name, 150 + i, 105 + i))
        picture.save(tmp_path / "photographs" / f"{i}.png")
    return tmp_path / "photographs"


def learnt(network: PriorNetwork, batches: list[np.ndarray], steps: int) -> PriorTask:
    digits = digits_of(shipped(DEFAULT), batches)
    task = PriorTask(network, digits)
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    stream = drawn(digits, 2048, 0)
    for _ in range(steps):
        optimiser.zero_grad()
        task.loss(network, next(stream))[0].backward()
        optimiser.step()
    return task


def test_digits_come_with_what_they_cost(batches: list[np.ndarray]) -> None:
    """Their bits add up to the bytes that the codec writes."""
    one = [batches[0][:1]]
    digits = digits_of(shipped(DEFAULT), one)
    assert digits.rows.shape[1] == FEATURES + 2
    assert set(np.unique(digits.rows[:, DIGIT])) == {-1, 0, 1}
    assert digits.rows[:, UNIT].min() >= 0
    assert digits.rows[:, UNIT].max() < UNITS
    data = Codec(shipped(DEFAULT)).encode(one[0][0], max_bytes=150)
    sent = digits.sent < 142
    weights = digits.share[sent] * (digits.sent[sent] + 12)  # digits of a pass that each stands for
    assert (digits.bits[sent] * weights).sum() / 8 == pytest.approx(len(data) - 8, rel=0.25)


def test_kinds_are_those_of_the_running_network() -> None:
    from tokcodec.prior.network import kind_of

    order = order_for(shipped(DEFAULT), 150, 100, 3)
    for step in order.passes[::7]:
        band = order.bands[step.band]
        assert KIND[unit_of(band, step)] == kind_of(band)


def test_an_untrained_network_says_what_the_tables_say(batches: list[np.ndarray]) -> None:
    task = PriorTask(PriorNetwork(), digits_of(shipped(DEFAULT), batches))
    with torch.no_grad():
        task.network.last.zero_()
    assert task.check(task.network, Path(), 0)["saved"] == pytest.approx(0, abs=0.2)


def test_it_learns_and_integers_keep_what_it_learnt(batches: list[np.ndarray]) -> None:
    torch.manual_seed(0)
    network = PriorNetwork()
    task = learnt(network, batches, 120)
    saved = task.check(network, Path(), 0)["saved"]
    assert saved > 5  # four pictures are soon known
    start = shipped(DEFAULT)
    model = to_model(network, start, "learnt", {})
    assert model.prior == NETWORK
    assert model.tokens_id == start.tokens_id
    learnt_of = [model.arrays["unit"][:, slots(level)] for level in (5, 6, 7, 8)]
    assert (learnt_of[0] != learnt_of[1]).any()  # and finer ones have what was learnt of the sixth
    assert all(np.array_equal(learnt_of[1], finer) for finer in learnt_of[2:])
    before, after = Codec(start), Codec(model)
    sizes = [[len(codec.encode(p, budget=400)) for p in batches[0]] for codec in (before, after)]
    header = 4  # bytes more, of the model's hash
    assert sum(sizes[1]) - header * len(sizes[1]) < 0.97 * sum(sizes[0])


def test_the_rounded_network_is_the_trained_one(batches: list[np.ndarray]) -> None:
    torch.manual_seed(0)
    network = PriorNetwork()
    task = learnt(network, batches, 20)
    model = to_model(network, shipped(DEFAULT), "x", {})
    order = order_for(model, 64, 96, 3)
    known = Knowledge(order)
    prior = prior_for(known)
    assert isinstance(prior, Network)
    rng, far = np.random.default_rng(0), 0.0
    for step in order.passes[:80]:
        seen = prior._inputs.look(step)
        rows, odds = prior.look(step)
        given = np.zeros((step.digits, FEATURES + 2), np.int16)
        given[:, :FEATURES] = seen.features.T
        given[:, UNIT] = unit_of(order.bands[step.band], step)
        with torch.no_grad():
            found = likelihood(task.network(torch.from_numpy(given))).exp().numpy()
        found = np.where(seen.mirror[:, None] < 0, found[:, ::-1], found)
        chance = odds.frequencies[rows] / 2**24
        far = max(far, float(np.abs(found - chance).max()))
        known.add(step, rng.choice([-1, 0, 0, 1], step.digits).astype(np.int8))
    assert far < 0.04  # steps of 1/8 and 1/4


def test_the_network_that_saved_most_is_kept(batches: list[np.ndarray], tmp_path: Path) -> None:
    task = learnt(PriorNetwork(), batches, 30)
    good = task.check(task.network, tmp_path, 1)
    state = {name: t.clone() for name, t in task.network.state_dict().items()}
    with torch.no_grad():
        for p in task.network.parameters():
            p.add_(torch.randn_like(p))
    assert task.check(task.network, tmp_path, 2)["saved"] < good["saved"]
    again = PriorTask(PriorNetwork(), task.held_out)
    again.restore(task.state())
    assert again.numbers == good
    assert all(torch.equal(t, state[name]) for name, t in again.found().state_dict().items())


def test_the_command_trains_goes_on_and_its_model_codes(
    folder: Path,
    tmp_path: Path,
    photograph: Photograph,
    capsys: pytest.CaptureFixture,
) -> None:
    out = tmp_path / "mine"

    def run(minutes: float, *more: str) -> int:
        return main(
            ["train", "prior", "--images", str(folder), "--out", str(out), "--count", "4",
             "--minutes", str(minutes), "--batch", "256", "--threads", "1", *more]
        )  # fmt: skip

    assert run(0.01) == 0
    first = tokcodec.load(out / MODEL).model
    assert first.name == "mine" or first.name == "model"
    assert float(first.card["steps"]) > 0
    assert run(0.01) == 1  # there is a run
    assert "% of the bytes of pictures that it did not learn from" in capsys.readouterr().out
    assert run(0.02, "--resume", "--seed", "7") == 1
    assert "another seed" in capsys.readouterr().err
    assert run(0.02, "--resume") == 0
    second = tokcodec.load(out / MODEL).model
    assert float(second.card["steps"]) > float(first.card["steps"])
    picture = photograph("rocket", 40, 30)
    data = tokcodec.encode(picture, budget=50, model=out / MODEL)
    assert tokcodec.decode(data).size == (40, 30)


@pytest.mark.parametrize("finest", ["0", "11", "six", ""])
def test_a_card_that_tells_no_level_is_told_before_training(
    finest: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start = shipped(DEFAULT)
    mine = Model("mine", start.arrays, start.card | {"finest": finest})
    (tmp_path / "mine.safetensors").write_bytes(mine.save_bytes())
    given = ["--images", str(folder), "--model", str(tmp_path / "mine.safetensors")]
    assert main(["train", "prior", *given, "--out", str(tmp_path / "x")]) == 1
    assert "finest" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--minutes", "0"], ["--minutes", "nan"], ["--minutes", "inf"],
        ["--count", "0"], ["--model", "nowhere"],
        ["--seed", "-1"], ["--threads", "-2"], ["--device", "cuda"], ["--images", "nowhere"],
        ["--images", __file__ + ".tar"],
    ],
)  # fmt: skip
def test_wrong_arguments_are_named(
    wrong: list[str],
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["train", "prior", "--images", str(folder), "--out", str(tmp_path / "x")]
    assert main([*given, *wrong]) == 1
    assert capsys.readouterr().err.startswith("tokcodec: ")
    assert not (tmp_path / "x").exists()
