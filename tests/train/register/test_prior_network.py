"""Training of a prior's network: it learns what tables cannot, and integers keep it."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tokcodec import errors
from tokcodec.cli import main

torch = pytest.importorskip("torch")

from tests.register.conftest import piece_folder  # noqa: E402, F401
from tests.register.own.tiny import taught  # noqa: E402
from tokcodec.cli.train.register_network import PRIOR, ROWS  # noqa: E402
from tokcodec.register.own.tokenizer import write as write_tokenizer  # noqa: E402
from tokcodec.register.prior.file import read  # noqa: E402
from tokcodec.register.prior.network import Network  # noqa: E402
from tokcodec.register.prior.tables import Tables  # noqa: E402
from tokcodec.train.images.files import places  # noqa: E402
from tokcodec.train.loop import train  # noqa: E402
from tokcodec.train.register import digits as register_digits  # noqa: E402
from tokcodec.train.register.prior_network import (  # noqa: E402
    NetworkTask,
    RegisterPriorNetwork,
    bits_of,
    drawn,
    to_prior,
)
from tokcodec.train.register.prior_tables import counted  # noqa: E402
from tokcodec.train.schedule import Schedule  # noqa: E402

CPU = torch.device("cpu")
LEVELS, LENGTH = (5, 3), 6


def tied(seed: int, pictures: int = 600) -> np.ndarray:
    """Digits of which the last token's follow from two earlier ones together, not from either."""
    rng = np.random.default_rng(seed)
    found = rng.integers(0, np.tile(LEVELS, LENGTH), (pictures, 2 * LENGTH))
    found[:, 10] = (found[:, 0] + found[:, 4]) // 2
    found[:, 11] = np.where(found[:, 2] > 2, 2, np.minimum(found[:, 6], 1))
    return found


@pytest.fixture(scope="module")
def tables() -> Tables:
    return counted(tied(0), LEVELS)


def test_it_begins_nearly_as_the_tables(tables: Tables) -> None:
    seen = tied(1)
    with torch.no_grad():
        bits = float(bits_of(RegisterPriorNetwork(tables).eval(), torch.from_numpy(seen)))
    assert bits == pytest.approx(tables.bits(seen).mean(), rel=2e-3)


def test_a_digit_depends_on_those_before_it_alone(tables: Tables) -> None:
    torch.manual_seed(0)
    network = RegisterPriorNetwork(tables).eval()
    digits = torch.from_numpy(tied(2, 4))
    changed = digits.clone()
    changed[:, 5] = (changed[:, 5] + 1) % 3
    with torch.no_grad():
        before, after = network(digits), network(changed)
    assert torch.equal(before[:, :6], after[:, :6])
    assert (before[:, 6:] != after[:, 6:]).any()


def test_it_learns_what_tables_cannot_and_integers_keep_it(tables: Tables, tmp_path: Path) -> None:
    torch.manual_seed(0)
    seen = tied(3)
    task = NetworkTask(RegisterPriorNetwork(tables, 32), seen, CPU)
    schedule = Schedule(steps=150, rate=2e-2, decay=0.01, average=0.95)
    state = train(task, drawn(tied(0), 64, 0), schedule, tmp_path, CPU)
    prior = to_prior(task.found())
    assert prior.sound(LENGTH)
    bits = prior.bits(seen).sum(1).mean()
    assert bits < tables.bits(seen).sum(1).mean() - 1
    assert task.least == state.checked["bits_held_out"]
    assert bits == pytest.approx(task.least * LENGTH, rel=2e-3)


def test_what_was_learned_by_heart_is_forgotten(tables: Tables, tmp_path: Path) -> None:
    """The best network is kept, here that before all training; a run that goes on knows it."""
    torch.manual_seed(0)
    tasks = [NetworkTask(RegisterPriorNetwork(tables, 32), tied(3), CPU) for _ in range(2)]
    first = tasks[0].least
    schedule = Schedule(steps=60, rate=2e-2, average=0.5)
    few = np.random.default_rng(0).integers(0, np.tile(LEVELS, LENGTH), (4, 2 * LENGTH))
    state = train(tasks[0], drawn(few, 4, 0), schedule, tmp_path, CPU)
    assert state.checked["bits_held_out"] > first + 0.1
    assert tasks[0].least == first
    tasks[1].restore(tasks[0].state())
    assert tasks[1].least == tasks[0].least
    bits = to_prior(tasks[1].found()).bits(tied(3)).sum(1).mean() / LENGTH
    assert bits == pytest.approx(tasks[0].least, rel=2e-3)


def test_large_codebooks_are_heard_as_a_few_numbers() -> None:
    digits = np.random.default_rng(0).integers(0, 400, (30, 4))
    prior = to_prior(RegisterPriorNetwork(counted(digits, (400,)), 8))
    assert prior.sound(4)
    assert prior.codes.shape == (1, 16, 400)
    assert sum(a.nbytes for a in prior.arrays.values()) < 60_000


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small photographs, one of them held out by its name."""
    from tests.conftest import load_photograph

    folder = tmp_path_factory.mktemp("photographs")
    held_out = next(n for n in map("{}.png".format, range(999)) if zlib.crc32(n.encode()) % 64 == 0)
    names = [held_out, "coffee.png", "chelsea.png", "rocket.png"]
    for name, picture in zip(names, ("astronaut", "coffee", "chelsea", "rocket"), strict=True):
        Image.fromarray(load_photograph(picture, 96, 80)).save(folder / name)
    return folder


def learn(tokenizer: Path | str, photographs: Path, out: Path, *more: str) -> int:
    return main(
        ["train", "prior", "--tokenizer", str(tokenizer), "--images", str(photographs), "--out",
         str(out), "--count", "40", "--batch", "8", "--minutes", "0.01", "--threads", "1", *more]
    )  # fmt: skip


def test_a_prior_of_ones_own_tokenizer(
    photographs: Path, tmp_path: Path, photograph, capsys
) -> None:
    mine, out = tmp_path / "mine.safetensors", tmp_path / "run"
    write_tokenizer(mine, taught(), {})
    assert learn(mine, photographs, out) == 0
    said = capsys.readouterr().out
    assert "7.451 raw" in said
    assert "network" in said
    rows = [line.split("\t") for line in (out / ROWS).read_text().splitlines()]
    assert rows[0] == ["prior", "bits", "tokens_0_to_1", "tokens_1_to_4", "tokens_4_to_16",
                       "tokens_16_to_24"]  # fmt: skip
    assert [row[0] for row in rows[1:]] == ["raw", "tables", "tables with parents", "network"]
    plain, better = tokcodec.load(mine), tokcodec.load(mine, prior=out / PRIOR)
    assert isinstance(better.model.prior, Network)
    picture = photograph("coffee", 80, 70)
    data = better.encode(picture)
    assert len(data) < len(plain.encode(picture))
    assert better.unpack(data).ids.tolist() == plain.tokenize(picture).ids.tolist()
    assert better.cut(data, budget=5) == better.encode(picture, budget=5) != data
    assert learn(mine, photographs, out) == 1
    assert "--resume" in capsys.readouterr().err
    assert learn(mine, photographs, out, "--resume") == 0
    others = shutil.copytree(photographs, tmp_path / "others")
    next(others.glob("coffee*")).rename(others / "tea.png")
    assert learn(mine, others, out, "--resume") == 1  # its tables were counted on other pictures
    assert "--images" in capsys.readouterr().err
    assert learn(mine, photographs, tmp_path / "none", "--resume") == 1
    assert "no run in" in capsys.readouterr().err


def test_a_prior_of_a_codebook(
    piece_folder: Path,  # noqa: F811
    photographs: Path,
    tmp_path: Path,
) -> None:
    assert learn(piece_folder, photographs, tmp_path / "run") == 0
    codec = tokcodec.load(piece_folder, prior=tmp_path / "run" / PRIOR)
    data = codec.encode(photographs / "coffee.png")
    assert codec.info(data).complete
    assert read(tmp_path / "run" / PRIOR, (64,), 16, codec.model.checkpoint.hex()).sound(16)


@pytest.mark.parametrize(
    ("tokenizer", "more", "match"),
    [
        ("pyramid", (), "no register tokenizer"),
        ("mine", ("--model", "pyramid"), "leave one of them out"),
        ("mine", ("--count", "0"), "above 0"),
        ("mine", ("--device", "toaster"), "no device"),
    ],
)
def test_what_cannot_be_learned(
    tokenizer: str, more: tuple[str, ...], match: str, photographs: Path, tmp_path: Path, capsys
) -> None:
    if tokenizer == "mine":
        write_tokenizer(tmp_path / "mine", taught(), {})
        tokenizer = str((tmp_path / "mine").rename(tmp_path / "mine.safetensors"))
    assert learn(tokenizer, photographs, tmp_path / "run", *more) == 1
    assert match in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_pictures_to_check_with_are_needed(
    photographs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tokenizer(tmp_path / "mine.safetensors", taught(), {})
    one = photographs / "coffee.png"
    assert learn(tmp_path / "mine.safetensors", one, tmp_path / "run") == 1
    (held_out,) = (p for p in places([photographs]) if p.held_out)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / held_out.name).write_text("This is no photograph.")
    (tmp_path / "folder" / one.name).write_bytes(one.read_bytes())
    monkeypatch.setattr(register_digits, "digits_of", None)  # it is told before all is encoded
    assert learn(tmp_path / "mine.safetensors", tmp_path / "folder", tmp_path / "run") == 1
    with pytest.raises(errors.InputError):
        read(tmp_path / "run" / PRIOR, LEVELS, LENGTH, "")
