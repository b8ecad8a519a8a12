"""`tokcodec train decoder`: from photographs to a decoder that draws, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tokcodec.cli import main
from tokcodec.errors import ArgumentError
from tokcodec.train.decoder.config import DECODER, Config

CONFIG = """
check_side = 64
check_count = 2
workers = 0
sizes = [{ side = 32, batch = 4 }]
network = { widths = [8, 8], blocks = [1, 1], hidden = 8 }
schedule = { steps = %d, save_minutes = 0.0, rate = 0.003 }
"""


def train(folder: Path, out: Path, steps: int, *more: str) -> int:
    config = out.parent / f"{out.name}-{steps}.toml"
    config.write_text(CONFIG % steps)
    return main(
        ["train", "decoder", "--config", str(config), "--images", str(folder), "--out", str(out),
         "--threads", "1", *more]
    )  # fmt: skip


def test_a_run_gives_a_decoder_that_draws(
    photographs: Path, tmp_path: Path, photograph: Callable[[str, int, int], np.ndarray]
) -> None:
    pytest.importorskip("torch")
    out = tmp_path / "run"
    assert train(photographs, out, 3) == 0
    assert (out / DECODER).exists()
    assert len((out / "log.tsv").read_text().splitlines()) == 2  # names, the check at the end
    data = tokcodec.encode(photograph("rocket", 64, 48), max_bytes=200)
    shown = tokcodec.decode(data, decoder=str(out / DECODER))
    plain = tokcodec.decode(data, decoder="linear")
    assert shown.size == plain.size == (64, 48)
    difference = np.abs(np.asarray(shown, int) - np.asarray(plain, int))
    assert difference.max() < 30  # three steps from the linear inverse are close to it

    from tokcodec.decoders.torch_file import card

    assert card(out / DECODER)["steps"] == 3
    assert card(out / DECODER)["tokens"] == tokcodec.load().model.tokens_id


def test_a_run_is_gone_on_with_or_left_alone(photographs: Path, tmp_path: Path, capsys) -> None:
    pytest.importorskip("torch")
    from tokcodec.decoders.torch_file import card
    from tokcodec.train.checkpoint import steps_done

    out = tmp_path / "run"
    assert train(photographs, out, 2) == 0
    assert steps_done(out) == 2
    assert train(photographs, out, 4) == 1
    assert "--resume" in capsys.readouterr().err
    assert train(photographs, out, 4, "--resume") == 0
    assert steps_done(out) == 4
    assert card(out / DECODER)["steps"] == 4
    held_out = card(out / DECODER)["held_out"]
    assert held_out
    assert train(photographs, out, 4, "--resume") == 0  # of a run that has ended
    assert card(out / DECODER)["held_out"] == held_out


def test_a_run_does_not_go_on_as_another(photographs: Path, tmp_path: Path, capsys) -> None:
    pytest.importorskip("torch")
    from tokcodec.train.checkpoint import steps_done

    out = tmp_path / "run"
    assert train(photographs, out, 1) == 0
    given = ["--images", str(photographs), "--out", str(out), "--resume"]
    config = tmp_path / "other.toml"
    for text, told in (
        ((CONFIG % 2).replace("rate = 0.003", "rate = 0.004"), "another rate (it says 0.003)"),
        (CONFIG % 2 + "grey = 0.5", "another grey"),
        ((CONFIG % 2).replace("batch = 4", "batch = 2"), "another sizes"),
    ):
        config.write_text(text)
        assert main(["train", "decoder", "--config", str(config), *given]) == 1
        assert told in capsys.readouterr().err
    assert main(["train", "decoder", *given]) == 1
    assert "another network, sizes, rate" in capsys.readouterr().err
    start = str(out / DECODER)
    assert train(photographs, out, 2, "--resume", "--start", start) == 1
    assert "another --start (it says none)" in capsys.readouterr().err
    assert train(photographs, tmp_path / "two", 1, "--start", start) == 0
    other = tmp_path / "other.safetensors"
    other.write_bytes((tmp_path / "two" / DECODER).read_bytes())
    assert train(photographs, tmp_path / "two", 2, "--resume", "--start", str(other)) == 1
    assert "another --start" in capsys.readouterr().err
    assert train(photographs, tmp_path / "two", 2, "--resume") == 0
    assert steps_done(tmp_path / "two") == 2


def test_a_decoder_with_realism_keeps_it(photographs: Path, tmp_path: Path) -> None:
    """Squared error alone leaves its blocks as they are."""
    torch = pytest.importorskip("torch")
    from tokcodec.decoders.network import Network, Shape
    from tokcodec.decoders.torch_file import card, write

    torch.manual_seed(0)
    start = tmp_path / "natural.safetensors"
    write(start, Network(Shape((8, 8), (1, 1), 8, (1, 1))), {"realism": 0.75})
    assert train(photographs, tmp_path / "run", 1, "--start", str(start)) == 0
    assert card(tmp_path / "run" / DECODER)["realism"] == 0.75


def test_a_file_in_the_way_is_kept(photographs: Path, tmp_path: Path, capsys) -> None:
    pytest.importorskip("torch")
    (tmp_path / DECODER).write_text("precious")
    assert train(photographs, tmp_path, 2) == 1
    assert f"{DECODER} exists already" in capsys.readouterr().err
    assert (tmp_path / DECODER).read_text() == "precious"


def test_nothing_to_go_on_with(photographs: Path, tmp_path: Path, capsys) -> None:
    pytest.importorskip("torch")
    assert train(photographs, tmp_path / "run", 2, "--resume") == 1
    assert "no run in" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_that_goes_on_draws_other_random_numbers(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    from tokcodec.train.decoder import run

    drawn, usual = [], run.train

    def watched(*args):
        drawn.append(torch.rand(8))
        return usual(*args)

    monkeypatch.setattr(run, "train", watched)
    for steps, more in ((1, ()), (2, ("--resume",)), (3, ("--resume",))):
        assert train(photographs, tmp_path / "run", steps, *more) == 0
    assert not any(torch.equal(drawn[i], drawn[j]) for i, j in ((0, 1), (0, 2), (1, 2)))
    assert train(photographs, tmp_path / "other", 1) == 0
    assert torch.equal(drawn[0], drawn[3])  # another run of the same configuration is the same


def test_a_schedule_need_not_say_how_long(photographs: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    config, out = tmp_path / "c.toml", tmp_path / "run"
    config.write_text((CONFIG % 1).replace("steps = 1, ", ""))
    given = ["--config", str(config), "--images", str(photographs), "--out", str(out)]
    assert main(["train", "decoder", *given, "--threads", "1", "--minutes", "0.0001"]) == 0

    from tokcodec.decoders.torch_file import card

    said = card(out / DECODER)["config"]["schedule"]
    assert (said["minutes"], said["steps"], said["rate"]) == (0.0001, None, 0.003)


def test_two_processes_train_one_network(photographs: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch.distributed.run")
    from tokcodec.train.checkpoint import steps_done

    (tmp_path / "c.toml").write_text(CONFIG % 2)
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        "-m", "tokcodec", "train", "decoder", "--config", str(tmp_path / "c.toml"),
        "--images", str(photographs), "--out", str(tmp_path / "run"), "--threads", "1",
    ]  # fmt: skip
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr
    assert steps_done(tmp_path / "run") == 2
    assert (tmp_path / "run" / DECODER).exists()


def test_a_decoder_is_where_another_run_begins(photographs: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from tokcodec.decoders.torch_file import read

    assert train(photographs, tmp_path / "one", 3) == 0
    start = tmp_path / "one" / DECODER
    assert train(photographs, tmp_path / "two", 1, "--start", str(start)) == 0
    one, two = read(start), read(tmp_path / "two" / DECODER)
    fresh = type(one)(one.shape)
    assert 0 < distance(one, two) < 0.02
    assert distance(fresh, two) > 10 * distance(one, two)


def test_a_start_brings_its_own_network(photographs: Path, tmp_path: Path, capsys) -> None:
    pytest.importorskip("torch")
    assert train(photographs, tmp_path / "one", 1) == 0
    config = tmp_path / "other.toml"
    config.write_text("network = { hidden = 9 }\nschedule = { steps = 1 }")
    given = ["--config", str(config), "--images", str(photographs), "--out", str(tmp_path / "two")]
    assert main(["train", "decoder", *given, "--start", str(tmp_path / "one" / DECODER)]) == 1
    assert "another [network]" in capsys.readouterr().err


def distance(a, b) -> float:
    """The largest difference of two networks' weights."""
    pairs = zip(a.parameters(), b.parameters(), strict=True)
    return max(float((x - y).abs().max()) for x, y in pairs)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("no toml", "TOML"),
        ("colour = 1", "colour"),
        ("network = { width = [8] }", "width"),
        ("network = { widths = [8] }", "blocks"),
        ("sizes = []", "sizes"),
        ("sizes = [{ side = 32 }]", "each of sizes: batch is missing"),
        ("sizes = [3]", "each of sizes is a table, not 3"),
        ("sizes = [{ side = 32, batch = true }]", "each of sizes: batch is a whole number"),
        ("sizes = [{ side = 32, batch = 2, heigth = 8 }]", "each of sizes: nothing is called heig"),
        ("schedule = { minutes = true }", "schedule: minutes is a number, not True"),
        ("schedule = { steps = 1.5 }", "schedule: steps is a whole number"),
        ("schedule = { steps = 1, rate = 'high' }", "schedule: rate is a number"),
        ("network = { widths = 5 }", "network: widths is a list"),
        ("network = { hidden = true }", "network: hidden is a whole number"),
        ("network = { widths = [4], blocks = [true] }", "blocks, realism and hidden are whole"),
        ("rates = [true, 2]", "rates are two numbers"),
        ("rates = ['few', 2]", "rates are two numbers"),
        ("schedule = { minutes = 0 }", "how long"),
        ("schedule = { minuets = 3 }", "schedule: nothing is called minuets"),
        ("schedule = { minutes = -3.0 }", "how long"),
        ("schedule = { steps = 3, rate = -1.0 }", "rate"),
        ("schedule = { steps = 3, average = 1.0 }", "average"),
        ("seed = 'seven'", "seed is a whole number"),
        ("seed = -1", "seed"),
        ("workers = 0.5", "workers is a whole number"),
        ("grey = true", "grey is a number"),
        ("model = 3", "model is a text"),
        ("sizes = 5", "sizes is a list"),
        ("sizes = [{ side = 32, batch = 1.5 }]", "batch"),
        ("sizes = [{ side = 32, batch = 2, share = 0 }]", "share"),
        ("shrink = 0", "shrink"),
        ("shrink = inf", "shrink is a finite number"),
        ("grey = 7.0", "shares"),
        ("drawn = 1.5", "shares"),
        ("rates = [3.0, 0.015]", "smaller first"),
        ("rates = [0.0, 1.0]", "above 0"),
        ('rates = ["few", "many"]', "two numbers"),
        ("rates = 3", "rates is a list"),
        ("schedule = { steps = 3, rate = inf }", "rate"),
        ("schedule = { steps = 3, decay = nan }", "decay"),
        ("check_count = 0", "check_count"),
        ("check_side = 4", "check_side is above 4"),
        ("sizes = [{ side = 4, batch = 2 }]", "4 pixels"),
        ("sizes = [{ side = 3, height = 2, batch = 2 }]", "4 pixels"),
        ("sizes = [{ side = 32, batch = 2, share = inf }]", "share"),
        ("workers = 99999999", "workers is at most"),
        ("realism = { features = 5 }", "realism: features is a text"),
        ("realism = { window = 64.0 }", "realism: window is a whole number"),
        ("realism = { window = 8 }", "window is 0 or a multiple of 4 from 16"),
        ("realism = { likeness = -1.0 }", "realism: likeness is a finite number"),
        ("realism = { error = nan }", "realism: error is a finite number"),
        ("realism = { teacher = 'no' }", "realism: teacher is true or false"),
        ("realism = { blocks = 3 }", "realism: blocks is a list"),
        ("realism = { colour = 3 }", "realism: nothing is called colour"),
        ("sizes = [{ side = 96, height = 12, batch = 4 }]\nrealism = {}", "32 pixels a side"),
        ("seed = 99999999999999999999", "seed"),
    ],
)
def test_a_wrong_configuration_is_named(
    text: str, told: str, photographs: Path, tmp_path: Path, capsys
) -> None:
    pytest.importorskip("torch")
    config = tmp_path / "c.toml"
    config.write_text(text)
    arguments = [
        "--config",
        str(config),
        "--images",
        str(photographs),
        "--out",
        str(tmp_path / "o"),
    ]
    assert main(["train", "decoder", *arguments]) == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_devices_images_and_configurations_that_are_not_there(tmp_path: Path, capsys) -> None:
    pytest.importorskip("torch")
    missing = ["--images", str(tmp_path / "none.tar"), "--out", str(tmp_path / "o")]
    for more, told in (
        (["--minutes", "1"], "none.tar"),
        (["--minutes", "1", "--device", "abacus"], "abacus"),
        (["--minutes", "-1"], "how long"),
        (["--minutes", "nan"], "how long"),
        (["--threads", "0"], "threads"),
        (["--threads", "99999999999"], "threads"),
        (["--config", str(tmp_path / "none.toml")], "none.toml"),
    ):
        assert main(["train", "decoder", *missing, *more]) == 1
        assert told in capsys.readouterr().err


def test_the_defaults_are_those_of_the_documentation() -> None:
    text = (Path(__file__).parents[3] / "docs" / "training.md").read_text()
    block = text[text.index("```toml") + 7 : text.index("```", text.index("```toml") + 7)]
    path = Path(__file__)  # any name: it is shown in errors only
    import tomllib
    from dataclasses import asdict

    found, default = tomllib.loads(block), asdict(Config())
    tables = ("network", "schedule", "realism")
    assert {k: v for k, v in found.items() if k not in tables} == {
        k: v for k, v in default.items() if k not in tables
    }, path
    torch = pytest.importorskip("torch")
    from tokcodec.decoders.network import Shape
    from tokcodec.train.schedule import Schedule

    assert torch is not None
    assert {k: tuple(v) if isinstance(v, list) else v for k, v in found["network"].items()} == (
        asdict(Shape())
    )
    schedule = Schedule(**found["schedule"])
    assert Schedule(minutes=schedule.minutes) == schedule
    with pytest.raises(ArgumentError):
        Schedule()


def test_the_defaults_of_realism_are_those_of_the_documentation() -> None:
    pytest.importorskip("torch")
    import tomllib

    from tokcodec.train.decoder.realism import Realism

    text = (Path(__file__).parents[3] / "docs" / "training.md").read_text()
    block = text[text.index("```toml\n[realism]") + 7 :]
    found = tomllib.loads(block[: block.index("```")])["realism"]
    found["blocks"] = tuple(found["blocks"])
    assert Realism(**found) == Realism()
    assert set(found) | {"features"} == set(Realism.__dataclass_fields__)
