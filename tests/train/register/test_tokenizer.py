"""Training of a register tokenizer: it learns, and a longer prefix is a closer picture."""

from __future__ import annotations

from itertools import cycle, pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tokcodec.cli import main
from tokcodec.errors import ArgumentError
from tokcodec.train.register.config import TOKENIZER, Config

torch = pytest.importorskip("torch")

from tests.register.own.tiny import SHAPE, pictures, untaught  # noqa: E402
from tests.train.losses.test_features import weights_file  # noqa: E402
from tokcodec.register.checkpoints.checkpoint import read  # noqa: E402
from tokcodec.register.checkpoints.sources import Files  # noqa: E402
from tokcodec.train.loop import train  # noqa: E402
from tokcodec.train.register.tokenizer import (  # noqa: E402
    Aims,
    RegisterTask,
    even,
    lengths,
    squashed,
)
from tokcodec.train.schedule import Schedule  # noqa: E402

CPU = torch.device("cpu")
CONFIG = """
check_count = 2
workers = 0
start = 2
sizes = [{ side = 32, batch = 4 }]
schedule = { steps = %d, save_minutes = 0.0 }

[network]
size = "nano"
side = 32
patch = 8
tokens = 8
width = 32
head = 16
"""


def task(**aims) -> RegisterTask:
    return RegisterTask(untaught().requires_grad_(True), pictures(), CPU, Aims(**aims))


def test_a_run_lowers_the_error_and_a_longer_prefix_has_less(tmp_path: Path) -> None:
    torch.manual_seed(0)
    learner = task()
    before = learner.check(learner.network, tmp_path, 0)
    schedule = Schedule(steps=60, rate=3e-2, average=0.9)
    state = train(learner, cycle([pictures(), pictures().flip(-1)]), schedule, tmp_path, CPU)
    after = [state.checked[f"psnr_{k}"] for k in lengths(SHAPE.tokens)]
    assert all(a < b for a, b in pairwise(after))
    gained = [state.checked[name] - value for name, value in before.items()]
    assert np.mean(gained) > 0.2
    rows = (tmp_path / "log.tsv").read_text().splitlines()
    assert rows[0].split("\t")[:4] == ["step", "minutes", "loss", "psnr"]
    sheet = Image.open(tmp_path / "sheet-000060.png")
    assert sheet.size == (6 * 32, (1 + len(after)) * 32)


def test_everything_learns() -> None:
    learner = task()
    for _ in range(2):  # at first the last layers give nothing, so nothing before them learns
        loss, numbers = learner.loss(learner.network, pictures(48, 32))
        learner.network.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in learner.network.parameters():
                p -= 1e-3 * p.grad
    assert np.isfinite([*numbers.values()]).all()
    assert [n for n, p in learner.network.named_parameters() if not p.grad.any()] == []
    hidden = {id(p) for p in learner.hidden()}
    assert len(hidden) == 2 * 7  # of two blocks


def test_likeness_counts_when_it_is_asked_for(tmp_path: Path) -> None:
    plain, more = task(), task(likeness=2.0, features=str(weights_file(tmp_path / "vgg")))
    losses = []
    for learner in (plain, more):
        torch.manual_seed(5)
        losses.append(learner.loss(learner.network, pictures()))
    unlike = losses[1][1]["unlike"]
    assert unlike > 0
    assert float((losses[1][0] - losses[0][0]).detach()) == pytest.approx(2 * unlike, rel=1e-3)


def judged(folder: Path, **aims) -> RegisterTask:
    """A task with a critic, and features of random weights."""
    seen = weights_file(folder / "vgg.safetensors")
    return task(critic=0.5, features=str(seen), **aims)


def weights_of(learner: RegisterTask) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in learner.adversary.critic.parameters()])


def test_a_critic_comes_late_and_reaches_the_network(tmp_path: Path) -> None:
    learner, plain = judged(tmp_path, critic_from=0.5), task()
    before, losses = weights_of(learner), []
    for progress in (0.4, 0.6):
        learner.progress = progress
        for one in (learner, plain):
            torch.manual_seed(5)
            losses.append(one.loss(one.network, pictures()))
    (early, said), (without, _), (late, numbers), _ = losses
    assert float(early.detach()) == float(without.detach())
    assert not said.keys() & {"unlike", "mistakes", "score"}
    added = float((late - without).detach())
    assert added == pytest.approx(-2 * 0.5 * numbers["score"], rel=1e-3)
    assert 0 < numbers["mistakes"] < 4
    assert (weights_of(learner) != before).any()
    late.backward()
    assert learner.network.decoder.out.weight.grad.any()
    assert all(p.requires_grad for p in learner.adversary.critic.parameters())


def test_a_run_goes_on_with_its_critic(tmp_path: Path) -> None:
    out, learners = tmp_path / "run", [judged(tmp_path, critic_from=0.4) for _ in range(2)]
    for learner, steps in zip(learners, (5, 7), strict=True):
        schedule = Schedule(steps=steps, check_minutes=0.0)
        train(learner, cycle([pictures()]), schedule, out, CPU, resume=steps > 5)
    first, second = (weights_of(learner) for learner in learners)
    assert 0 < (second - first).norm() < 0.05 * first.norm()  # two steps on, not anew
    head, *rows = (line.split("\t") for line in (out / "log.tsv").read_text().splitlines())
    assert len(rows) == 7
    at = head.index("mistakes")
    assert [row[at] == "nan" for row in rows] == [True, True, False, False, False, False, False]
    plain = task()
    plain.restore(learners[1].state())  # a run may go on without


def test_digits_that_take_all_values_are_even() -> None:
    fsq = untaught().fsq
    spread = torch.linspace(-4, 4, 64)[:, None, None].expand(-1, 5, 3)
    assert even(fsq, spread) > 0.8
    assert even(fsq, torch.zeros(64, 5, 3)) < 0.4


def test_pictures_of_any_shape_are_squashed() -> None:
    assert torch.equal(squashed(pictures(), 32), pictures() / 255)
    wide = squashed(pictures(64, 32), 32)
    assert wide.shape == (6, 3, 32, 32)
    assert (wide - pictures() / 255).abs().mean() < 0.03


def test_lengths_double() -> None:
    assert lengths(24) == [1, 2, 4, 8, 16, 24]
    assert lengths(16) == [1, 2, 4, 8, 16]


def command(folder: Path, out: Path, steps: int, *more: str) -> int:
    config = out.parent / f"{out.name}-{steps}.toml"
    config.write_text(CONFIG % steps)
    return main(
        ["train", "register", "--config", str(config), "--images", str(folder), "--out", str(out),
         "--threads", "1", *more]
    )  # fmt: skip


def test_the_command_writes_a_tokenizer_and_goes_on(
    photographs: Path, tmp_path: Path, photograph, capsys
) -> None:
    out = tmp_path / "run"
    assert command(photographs, out, 2) == 0
    first = (out / TOKENIZER).read_bytes()
    codec = tokcodec.load(out / TOKENIZER)
    picture = photograph("rocket", 60, 40)
    drawn = codec.decode(codec.encode(picture, budget=8))
    assert np.abs(np.asarray(drawn, float) - picture).mean() < 40
    card = read(Files("run", out / TOKENIZER)).metadata["card"]
    assert '"steps": 2' in card
    assert command(photographs, out, 4) == 1
    assert "--resume" in capsys.readouterr().err
    assert command(photographs, out, 4, "--resume") == 0
    assert (out / TOKENIZER).read_bytes() != first
    assert command(photographs, tmp_path / "more", 1, "--start", str(out / TOKENIZER)) == 0


def test_a_run_goes_on_with_what_its_digits_refined(
    photographs: Path, tmp_path: Path, photograph
) -> None:
    """On other photographs, too, from which it would have begun otherwise."""
    out, other = tmp_path / "run", tmp_path / "other"
    assert command(photographs, out, 1) == 0
    other.mkdir()
    for name in photographs.iterdir():
        Image.fromarray(photograph("camera", 96, 80)).rotate(90).save(other / name.name)
    assert command(other, out, 2, "--resume") == 0
    drawn, picture = tokcodec.load(out / TOKENIZER), photograph("coffee", 60, 40)
    shown = np.asarray(drawn.decode(drawn.encode(picture), decoder="linear"), float)
    assert np.abs(shown - picture).mean() < 30
    (out / "checkpoint.pt").write_bytes(b"nothing")
    assert command(other, out, 3, "--resume") == 1


def test_a_tokenizer_of_whole_pictures(photographs: Path, tmp_path: Path, photograph) -> None:
    """256x256 pixels instead of 64x64: a configuration away. Nothing is left to another decoder."""
    config = tmp_path / "whole.toml"
    config.write_text(
        (CONFIG % 2).replace("side = 32\npatch = 8", "side = 256\npatch = 32")
        + "encoder = 1\ndecoder = 1"
    )
    folder, out = tmp_path / "large", tmp_path / "whole"
    folder.mkdir()
    for name in photographs.iterdir():
        Image.fromarray(photograph("astronaut", 256, 256)).save(folder / name.name)
    given = ["--config", str(config), "--images", str(folder), "--threads", "1"]
    assert main(["train", "register", *given, "--out", str(out)]) == 0
    codec, picture = tokcodec.load(out / TOKENIZER), photograph("coffee", 256, 200)
    data = codec.encode(picture)
    drawn = [np.asarray(codec.decode(data, decoder=d), float) for d in ("auto", "linear")]
    assert drawn[0].shape == picture.shape
    assert np.array_equal(*drawn)
    assert np.abs(drawn[0] - picture).mean() < 50


def test_a_run_does_not_go_on_with_another_network(
    photographs: Path, tmp_path: Path, capsys
) -> None:
    assert command(photographs, tmp_path, 1) == 0
    config = tmp_path / "other.toml"
    config.write_text("network = { size = 'nano', tokens = 8 }\nschedule = { steps = 2 }")
    given = ["--config", str(config), "--images", str(photographs), "--out", str(tmp_path)]
    assert main(["train", "register", *given, "--resume"]) == 1
    assert "began with another start, network, sizes" in capsys.readouterr().err
    other = ["--out", str(tmp_path / "other"), "--start", str(tmp_path / TOKENIZER)]
    assert main(["train", "register", *given[:4], *other]) == 1
    assert "another [network]" in capsys.readouterr().err


SENSELESS = (
    "colour = 1", "network = { size = 'huge' }", "network = { size = [1] }",
    "aims = { entropy = -1 }", "start = 0", "network = { levels = 5 }",
    "aims = { entropy = nan }", "aims = { likeness = 'much' }",
    "network = { side = 512, patch = 1 }",
    "aims = { critic_from = 2 }",
    "schedule = { steps = 0 }", "sizes = []", "seed",
)  # fmt: skip


@pytest.mark.parametrize("text", SENSELESS)
def test_configurations_that_make_no_sense(
    photographs: Path, tmp_path: Path, capsys, text: str
) -> None:
    (tmp_path / "a.toml").write_text(text)
    given = ["--config", str(tmp_path / "a.toml"), "--images", str(photographs)]
    assert main(["train", "register", *given, "--out", str(tmp_path / "none")]) == 1
    assert "a.toml" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_only_its_own_tokenizers_are_trained_further(
    photographs: Path, tmp_path: Path, capsys
) -> None:
    (tmp_path / "other.safetensors").write_bytes(b"nothing")
    start = str(tmp_path / "other.safetensors")
    assert command(photographs, tmp_path / "run", 1, "--start", start) == 1
    assert "no sound safetensors" in capsys.readouterr().err


def test_a_configuration_has_defaults(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("seed = 3")
    assert Config.read(tmp_path / "a.toml").seed == 3
    (tmp_path / "a.toml").write_text("sede = 3")
    with pytest.raises(ArgumentError, match="nothing is called"):
        Config.read(tmp_path / "a.toml")
