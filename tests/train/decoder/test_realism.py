"""Training for realism: who is judged by what, where the teacher looks, and going on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tokcodec.cli import main
from tokcodec.errors import ArgumentError
from tokcodec.registry import DEFAULT, shipped

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

from tests.train.losses.test_features import as_batch, random_weights, weights_file  # noqa: E402
from tokcodec.decoders.climb import analyse, climb  # noqa: E402
from tokcodec.decoders.network import Network, Shape  # noqa: E402
from tokcodec.train import distributed  # noqa: E402
from tokcodec.train.checkpoint import CHECKPOINT  # noqa: E402
from tokcodec.train.config import made  # noqa: E402
from tokcodec.train.decoder.config import DECODER  # noqa: E402
from tokcodec.train.decoder.realism import (  # noqa: E402
    AROUND,
    Realism,
    RealismTask,
    _part,
)
from tokcodec.train.decoder.taildrop import to_planes, to_rgb  # noqa: E402
from tokcodec.train.losses.error import (  # noqa: E402
    log_error,
    patchwise_log_error,
    tone_log_error,
)
from tokcodec.train.losses.features import Features  # noqa: E402

CPU = torch.device("cpu")
TINY = Shape((8, 8), (1, 1), 8, (1, 1))


class Enlarging(torch.nn.Module):
    """A teacher that adds nothing."""

    def forward(self, small: torch.Tensor) -> torch.Tensor:
        return F.interpolate(small, scale_factor=4, mode="bilinear")


def task_of(picture: np.ndarray, teacher=None, **settings: object) -> RealismTask:
    torch.manual_seed(0)
    seen = Features(random_weights()[:7])
    network = Network(TINY)
    torch.nn.init.normal_(network.out.weight, std=0.01)  # at first no gradient goes through it
    given = network, shipped(DEFAULT), as_batch(picture).byte(), CPU
    return RealismTask(*given, Realism(**settings), seen, teacher)


def gradients(task: RealismTask, picture: np.ndarray) -> dict[str, torch.Tensor]:
    task.network.zero_grad()
    loss, _ = task.loss(task.network, as_batch(picture).byte().repeat(4, 1, 1, 1))
    loss.backward()
    return {n: p.grad for n, p in task.network.named_parameters() if p.grad is not None}


def test_a_share_asks_for_realism(astronaut: np.ndarray) -> None:
    for share, asking in ((0.25, 2), (0.5, 4), (1.0, 8)):
        wanted = task_of(astronaut, share=share).wanted(8)
        assert int((wanted > 0).sum()) == asking
        assert int((wanted == 1).sum()) == asking // 2
        assert wanted.max() == 1


def test_all_losses_reach_the_network_and_the_critic_learns(
    photograph: Callable[[str, int, int], np.ndarray],
) -> None:
    picture = photograph("coffee", 64, 64)
    task = task_of(picture, Enlarging(), window=32, share=0.5)
    critic = task.adversary.critic
    before = [p.detach().clone() for p in critic.parameters()]
    _, numbers = task.loss(task.network, as_batch(picture).byte().repeat(4, 1, 1, 1))
    assert set(numbers) == {"loss", "gain_db", "unlike", "score", "mistakes"}
    assert any((a != b).any() for a, b in zip(before, critic.parameters(), strict=True))
    assert all(p.requires_grad for p in critic.parameters())
    found = {}
    for name in ("likeness", "critic", "error", "contrast", "tone"):
        weights = {"likeness": 0.0, "critic": 0.0, "error": 0.0} | {name: 1.0}
        only = task_of(picture, window=32, frozen=False, **weights)
        found[name] = gradients(only, picture)["out.weight"]
        assert found[name].abs().max() > 0
    assert not torch.allclose(found["likeness"], found["critic"])


def test_a_critic_without_weight_does_not_work(
    photograph: Callable[[str, int, int], np.ndarray],
) -> None:
    picture = photograph("coffee", 64, 64)
    task = task_of(picture, critic=0.0)
    critic = task.adversary.critic
    before = [p.detach().clone() for p in critic.parameters()]
    _, numbers = task.loss(task.network, as_batch(picture).byte().repeat(4, 1, 1, 1))
    assert set(numbers) == {"loss", "unlike"}
    assert all((a == b).all() for a, b in zip(before, critic.parameters(), strict=True))


def test_narrow_crops_ask_for_none(photograph: Callable[[str, int, int], np.ndarray]) -> None:
    picture = photograph("coffee", 64, 9)
    task = task_of(picture)
    _, numbers = task.loss(task.network, as_batch(picture).byte().repeat(4, 1, 1, 1))
    assert set(numbers) == {"loss", "gain_db"}


def test_one_process_of_several_never_lets_the_others_wait(
    photograph: Callable[[str, int, int], np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its crops ask for no realism the critic tells them that it has learnt nothing."""
    told: list[float] = []

    def average(gradients) -> None:
        told.append(sum(float(g.abs().sum()) for g in gradients))

    monkeypatch.setattr(distributed, "several", lambda: True)
    monkeypatch.setattr(distributed, "alike", lambda module: None)
    monkeypatch.setattr(distributed, "average", average)
    for critic, expected in ((0.5, 2), (0.0, 0)):
        told.clear()
        task = task_of(photograph("coffee", 64, 64), critic=critic)
        for height in (64, 9):
            picture = as_batch(photograph("coffee", 64, height)).byte()
            task.loss(task.network, picture.repeat(2, 1, 1, 1))
        assert len(told) == expected
    task = task_of(photograph("coffee", 64, 64))
    for height in (64, 9):
        picture = as_batch(photograph("coffee", 64, height)).byte()
        task.loss(task.network, picture.repeat(2, 1, 1, 1))
    assert told[0] > 0 == told[1]


def test_a_replayed_batch_asks_the_teacher_nothing(
    photograph: Callable[[str, int, int], np.ndarray],
) -> None:
    class Counting(Enlarging):
        asked = 0

        def forward(self, small: torch.Tensor) -> torch.Tensor:
            self.asked += 1
            return super().forward(small)

    picture = photograph("coffee", 64, 64)
    teacher = Counting()
    task = task_of(picture, teacher, window=32, replay=3, kept=4)
    for _ in range(16):
        task.loss(task.network, as_batch(picture).byte().repeat(4, 1, 1, 1))
    assert 4 <= teacher.asked <= 7  # 4 to begin with, then every fourth time


def test_windows_lie_everywhere_and_often_at_edges() -> None:
    """What is never judged at an edge is drawn otherwise there: a frame around every picture."""
    torch.manual_seed(0)
    parts = [_part(128, 64) for _ in range(600)]
    assert {p.stop - p.start for p in parts} == {64}
    assert {p.start for p in parts} == set(range(0, 65, 4))
    for edge in (0, 64):
        assert sum(p.start == edge for p in parts) > 150
    assert _part(48, 64) == slice(0, 48)


@pytest.mark.parametrize(
    ("window", "start"), [(0, 0), (32, 16), (32, 0), (32, 32), (44, 8), (64, 0)]
)
def test_the_teacher_sees_the_window(
    window: int, start: int, photograph: Callable[[str, int, int], np.ndarray]
) -> None:
    """A teacher that only enlarges gives the picture itself there, softer."""
    picture = photograph("astronaut", 64, 64)
    task = task_of(picture, Enlarging(), window=window)
    planes = to_planes(as_batch(picture))
    bands = analyse(planes)
    quarter = climb(bands, 64, 64)[-2].low
    part = slice(start, start + (window or 64))
    drawn = task._taught(quarter, part, part)
    assert drawn.shape[-2:] == (window or 64, window or 64)
    errors = {}
    for rows in (-4, 0, 4):
        for columns in (-4, 0, 4):
            moved = to_rgb(planes).roll((rows, columns), (-2, -1))[..., part, part]
            errors[rows, columns] = float((moved - drawn)[..., 4:-4, 4:-4].square().mean())
    assert min(errors, key=errors.get) == (0, 0)
    assert AROUND % 4 == 0


def test_checks_tell_of_both_ends_of_the_knob(
    tmp_path: Path, photograph: Callable[[str, int, int], np.ndarray]
) -> None:
    task = task_of(photograph("coffee", 32, 32))
    torch.nn.init.zeros_(task.network.out.weight)
    found = task.check(task.network, tmp_path, 0)
    assert {k.split("_")[0] for k in found} == {"gain", "natural", "alike"}
    assert max(map(abs, found.values())) < 1e-3  # at first it corrects nothing
    for layer in (task.network.out, *(s.noisy for s in task.network.scales)):
        torch.nn.init.normal_(layer.weight, std=0.1)
    found = task.check(task.network, tmp_path, 1)
    assert found["natural_360"] != found["gain_360"]  # the noise
    assert found["natural_360"] < 0
    assert found["alike_360"] != 0


def test_texture_costs_more_where_the_photograph_is_flat() -> None:
    torch.manual_seed(0)
    flat, rough = slice(0, 16), slice(16, 32)  # columns
    truth = torch.zeros(2, 3, 32, 32)
    truth[..., rough] = 40 * torch.randn(2, 3, 32, 16)
    drawn = 2 * torch.randn_like(truth)  # blurred, and a little wrong everywhere
    costs: dict[int, list[torch.Tensor]] = {}
    for patch in (0, 16):
        before = patchwise_log_error(drawn, truth, patch)
        assert before.shape == (2,)
        for half in (flat, rough):
            invented = drawn.clone()
            invented[..., half] += 10 * torch.randn(2, 3, 32, 16)
            more = patchwise_log_error(invented, truth, patch) - before
            costs.setdefault(patch, []).append(more)
    assert torch.equal(patchwise_log_error(drawn, truth, 0), log_error(drawn, truth))
    assert (costs[16][0] > 10 * costs[16][1]).all()
    assert (costs[0][0] < 2 * costs[0][1]).all()  # one square for all does not care


def test_patches_that_are_cut_off_count(astronaut: np.ndarray) -> None:
    """50 pixels are three patches of 16 and one of two."""
    truth = to_planes(as_batch(astronaut[:50, :50]))
    drawn = truth.clone()
    drawn[..., 48:, 48:] += 30
    error, none = (float(patchwise_log_error(x, truth, 16)) for x in (drawn, truth))
    assert error - none == pytest.approx(np.log(30**2 / 0.5) / 16, rel=0.01)


def test_a_cast_is_an_error_of_tone_and_texture_is_not(astronaut: np.ndarray) -> None:
    truth = to_planes(as_batch(astronaut[:50, :50]))
    cast, rough = truth.clone(), truth.clone()
    cast[:, 2] += 4
    rough += 4 * (-1.0) ** torch.arange(50)
    none, off, still = (float(tone_log_error(x, truth)) for x in (truth, cast, rough))
    assert off - none == pytest.approx(np.log((16 + 0.5) / 0.5) / 3, rel=0.01)
    assert still == pytest.approx(none, abs=0.01)


@pytest.mark.parametrize(
    "wrong",
    [
        {"share": 0.0},
        {"share": 1.5},
        {"default": -1.0},
        {"window": 30},
        {"replay": -1},
        {"kept": 0},
        {"patch": -8},
        {"critic_rate": -1.0},
        {"critic_rate": float("nan")},
        {"blocks": [1, 0]},
        {"blocks": [1, 1.5]},
    ],
)
def test_settings_have_bounds(wrong: dict[str, float]) -> None:
    with pytest.raises(ArgumentError, match="realism"):
        made(Realism, wrong, "realism")


def test_a_run_for_realism_goes_on_with_its_critic(
    photographs: Path,
    tmp_path: Path,
) -> None:
    from tokcodec.decoders.torch_file import card

    seen = weights_file(tmp_path / "vgg.safetensors")
    config = tmp_path / "config.toml"

    def run(steps: int, *more: str) -> int:
        config.write_text(f"""
            workers = 0
            check_side = 64
            check_count = 1
            sizes = [{{ side = 64, batch = 2 }}]
            network = {{ widths = [8, 8], blocks = [1, 1], hidden = 8 }}
            schedule = {{ steps = {steps} }}

            [realism]
            features = "{seen}"
            teacher = false
            default = 0.75
            window = 32
            blocks = [1, 2]
        """)
        return main(
            ["train", "decoder", "--config", str(config), "--images", str(photographs),
             "--out", str(tmp_path / "run"), "--threads", "1", *more]
        )  # fmt: skip

    def critic() -> torch.Tensor:
        found = torch.load(tmp_path / "run" / CHECKPOINT, weights_only=True)["task"]["critic"]
        return torch.cat([v.flatten() for k, v in sorted(found.items()) if v.is_floating_point()])

    assert run(2) == 0
    first = critic()
    assert card(tmp_path / "run" / DECODER)["realism"] == 0.75
    assert run(3, "--resume") == 0
    moved = (critic() - first).norm()
    assert 0 < moved < 0.2 * first.norm()  # one step on, not anew


def test_what_realism_0_draws_stays_unless_told(astronaut: np.ndarray) -> None:
    for frozen in (True, False):
        task = task_of(astronaut[:64, :64], frozen=frozen)
        for name, p in task.network.named_parameters():
            if "second" in name or "noisy" in name:
                torch.nn.init.normal_(p, std=0.1)
        learns = set(gradients(task, astronaut[:64, :64]))
        assert "scales.0.realism.0.first.weight" in learns
        assert ("scales.0.blocks.0.first.weight" in learns) != frozen
