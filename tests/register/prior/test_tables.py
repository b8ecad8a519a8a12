"""Counted priors: fewer bytes for the same tokens, exact at every prefix, and refused where they do
not belong.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import tokcodec
from tests.register.own.tiny import taught
from tokcodec import errors
from tokcodec.cli import main
from tokcodec.model import TOTAL
from tokcodec.register import payload
from tokcodec.register.own.tokenizer import write as write_tokenizer
from tokcodec.register.payload import Code
from tokcodec.register.prior.file import SAID, read, write
from tokcodec.register.prior.tables import Tables
from tokcodec.register.prior.uniform import Uniform
from tokcodec.train.register.prior_tables import counted

LEVELS, LENGTH, PICTURES = (7, 5, 3), 6, 400
CHECKPOINT = "ab" * 32


def drawn(seed: int, pictures: int = PICTURES) -> np.ndarray:
    """Digits that are the narrower the later, and of which one repeats another."""
    rng = np.random.default_rng(seed)
    values = np.tile(LEVELS, LENGTH)
    narrow = np.repeat(np.linspace(1, 0.1, LENGTH), len(LEVELS))
    found = (rng.uniform(0, 1, (pictures, len(values))) * values * narrow).astype(np.int64)
    found[:, 4] = np.where(rng.random(pictures) < 0.9, found[:, 1], found[:, 4])
    return found


@pytest.fixture(scope="module")
def tables() -> Tables:
    return counted(drawn(0), LEVELS)


def test_frequencies_are_whole_and_complete(tables: Tables) -> None:
    values = np.tile(LEVELS, LENGTH)
    for place, digits in enumerate([drawn(1)[0][:n].tolist() for n in range(len(values))]):
        found = tables.weights(digits)
        assert len(found) == values[place]
        assert found.min() >= 0
        assert found.sum() == TOTAL - len(found)
        assert np.array_equal(found, np.rint(found))


def test_every_prefix_gives_the_tokens_that_it_determines(tables: Tables) -> None:
    code = Code(LEVELS, LENGTH, tables)
    for row in drawn(2, 5):
        ids = code.ids(row.tolist()).tolist()
        whole = payload.write(code, ids)
        counts = []
        for n in range(len(whole) + 1):
            digits = payload.read(code, whole[:n])
            assert digits == row[: len(digits)].tolist()
            counts.append(len(digits))
        assert counts[-1] == row.size
        assert counts == sorted(counts)
        assert payload.write(code, ids, 3) == whole[: payload.shortest(code, whole, 3)]


def test_it_saves_what_was_there_to_save(tables: Tables) -> None:
    seen = drawn(3)
    without = LENGTH * float(np.log2(LEVELS).sum())
    alone = counted(drawn(0), LEVELS, parents=False)
    bits, bits_alone = (float(t.bits(seen).sum(1).mean()) for t in (tables, alone))
    assert bits_alone < 0.75 * without
    assert tables.parents[4] == 1
    assert (np.delete(tables.parents, 4) < 0).sum() >= 15  # chance is not taken for a tie
    assert bits < bits_alone - 1
    code = Code(LEVELS, LENGTH, tables)
    sizes = [len(payload.write(code, code.ids(row.tolist()).tolist())) for row in seen[:50]]
    assert abs(8 * np.mean(sizes) - tables.bits(seen[:50]).sum(1).mean()) < 10


def test_a_value_that_was_never_seen_can_be_written(tables: Tables) -> None:
    code = Code(LEVELS, LENGTH, tables)
    ids = [int(np.prod(LEVELS)) - 1] * LENGTH
    assert code.ids(payload.read(code, payload.write(code, ids))).tolist() == ids


def test_large_codebooks_have_a_row_for_each_place_alone() -> None:
    digits = np.random.default_rng(0).integers(0, 40, (50, 8))
    found = counted(digits, (40,))
    assert found.frequencies.shape == (8, 1, 40)
    assert (found.parents == -1).all()


def test_a_file_comes_back(tables: Tables, tmp_path: Path) -> None:
    write(tmp_path / "p.safetensors", tables, CHECKPOINT, {"about": "a test"})
    again = read(tmp_path / "p.safetensors", LEVELS, LENGTH, CHECKPOINT)
    assert again.id == tables.id
    assert again.id != counted(drawn(1), LEVELS).id
    assert (tmp_path / "p.safetensors").stat().st_size < 20_000


def test_another_tokenizer_is_refused(tables: Tables, tmp_path: Path) -> None:
    path = tmp_path / "p.safetensors"
    write(path, tables, CHECKPOINT, {})
    for levels, checkpoint in (((7, 5, 4), CHECKPOINT), (LEVELS, "cd" * 32)):
        with pytest.raises(errors.ModelMismatchError):
            read(path, levels, LENGTH, checkpoint)
    with pytest.raises(errors.DamagedModelError):
        read(path, LEVELS, LENGTH + 1, CHECKPOINT)


def test_damage_is_found(tables: Tables, tmp_path: Path) -> None:
    path = tmp_path / "p.safetensors"
    write(path, tables, CHECKPOINT, {})
    whole = path.read_bytes()
    arrays = load_file(path)
    with safe_open(path, "np") as file:
        metadata = file.metadata()
    for at in (0, 9, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:at])
        with pytest.raises(errors.DamagedModelError):
            read(path, LEVELS, LENGTH, CHECKPOINT)
    said = json.loads(metadata[SAID])
    for levels in ([float(v) for v in LEVELS], [True, *LEVELS[1:]], ["7", *LEVELS[1:]]):
        save_file(arrays, path, metadata | {SAID: json.dumps(said | {"levels": levels})})
        with pytest.raises((errors.DamagedModelError, errors.ModelMismatchError)):
            read(path, LEVELS, LENGTH, CHECKPOINT)
    late = arrays["parents"].copy()
    late[2] = 2  # itself
    swapped = arrays["frequencies"].copy()
    swapped[3, 0, :2] = swapped[3, 0, 1::-1]
    nothing = arrays["frequencies"].copy()
    nothing[3, 0, 0] = 0
    for change in ({"parents": late}, {"frequencies": swapped}, {"frequencies": nothing},
                   {"frequencies": arrays["frequencies"].astype(np.int64)}):  # fmt: skip
        save_file(arrays | change, path, metadata)
        with pytest.raises(errors.DamagedModelError):
            read(path, LEVELS, LENGTH, CHECKPOINT)
    for said in ("", "[]", json.dumps(json.loads(metadata[SAID]) | {"kind": "other"})):
        save_file(arrays, path, metadata | {SAID: said})
        with pytest.raises(errors.DamagedModelError):
            read(path, LEVELS, LENGTH, CHECKPOINT)
    with pytest.raises(errors.InputError):
        read(tmp_path / "none", LEVELS, LENGTH, CHECKPOINT)


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


def count(tokenizer: Path, photographs: Path, out: Path) -> int:
    return main(
        ["train", "register-prior", "--tokenizer", str(tokenizer), "--images", str(photographs),
         "--out", str(out), "--count", "60"]
    )  # fmt: skip


def test_a_prior_of_ones_own_tokenizer(
    photographs: Path, tmp_path: Path, photograph, capsys
) -> None:
    mine, prior = tmp_path / "mine.safetensors", tmp_path / "prior.safetensors"
    write_tokenizer(mine, taught(), {})
    assert count(mine, photographs, prior) == 0
    assert "bits per token: 7.451 without" in capsys.readouterr().out
    plain, better = tokcodec.load(mine), tokcodec.load(mine, prior=prior)
    assert tokcodec.load(mine, prior=prior).model is better.model
    assert better.model.tokenizer is plain.model.tokenizer
    picture = photograph("coffee", 80, 70)
    data = better.encode(picture)
    assert len(data) < len(plain.encode(picture))
    assert better.unpack(data).ids.tolist() == plain.tokenize(picture).ids.tolist()
    assert better.cut(data, budget=5) == better.encode(picture, budget=5) != data
    assert np.array_equal(tokcodec.decode(data), plain.decode(plain.encode(picture)))
    assert better.model.id != plain.model.id
    with pytest.raises(errors.ModelMismatchError):
        plain.decode(data)


def test_a_prior_of_a_codebook_and_the_command_line(
    piece_folder: Path, titok_folder: Path, photographs: Path, tmp_path: Path
) -> None:
    prior, source = tmp_path / "prior.safetensors", str(photographs / "coffee.png")
    assert count(piece_folder, photographs, prior) == 0
    model = ["--model", str(piece_folder), "--prior", str(prior)]
    stream, plain = str(tmp_path / "a.tkc"), str(tmp_path / "b.tkc")
    assert main(["encode", source, "-o", stream, *model]) == 0
    assert main(["encode", source, "-o", plain, *model[:2]]) == 0
    assert Path(stream).stat().st_size < Path(plain).stat().st_size
    assert main(["decode", stream, "-o", str(tmp_path / "a.png"), *model]) == 0
    assert main(["decode", plain, "-o", str(tmp_path / "b.png"), *model[:2]]) == 0
    assert Image.open(tmp_path / "a.png").tobytes() == Image.open(tmp_path / "b.png").tobytes()
    with pytest.raises(errors.ModelMismatchError):
        tokcodec.load(titok_folder, prior=prior)
    with pytest.raises(errors.InputError):
        tokcodec.load(piece_folder, prior=tmp_path / "none")
    with pytest.raises(errors.ArgumentError):
        tokcodec.load(prior=prior)


def test_what_cannot_be_counted(photographs: Path, tmp_path: Path, capsys) -> None:
    assert count(Path("pyramid"), photographs, tmp_path / "p") == 1
    assert "no register tokenizer" in capsys.readouterr().err


def test_uniform_is_what_was_without(tables: Tables) -> None:
    assert Uniform(LEVELS).id == "uniform" != tables.id
