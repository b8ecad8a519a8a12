"""Training on a handful of photographs gives a model that knows them better than none, the same
each time.
"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tokcodec.cli import main
from tokcodec.errors import ModelMismatchError, UnknownModelError
from tokcodec.model import Model, load_model
from tokcodec.train import pyramid

COMMAND = "train", "model"
FEW = "--count", "4", "--rounds", "2", "--workers", "1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, photograph):
    path = tmp_path_factory.mktemp("photographs")
    for name in ("astronaut", "chelsea", "coffee", "rocket"):
        Image.fromarray(photograph(name, 150, 105)).save(path / f"{name}.png")
    return path


@pytest.fixture(scope="module")
def model_file(folder):
    out = folder / "mine.safetensors"
    assert main([*COMMAND, "--images", str(folder), "--out", str(out), *FEW]) == 0
    return out


def test_the_model_is_sound_and_pays(model_file, photograph):
    model = load_model(model_file)
    picture = photograph("coffee", 100, 70)
    mine = tokcodec.encode(picture, psnr=26, model=model_file)
    untrained = tokcodec.Codec(Model("none", pyramid.first_guess().arrays)).encode(picture, psnr=26)
    assert len(mine) < 0.5 * len(untrained)
    assert mine[3] == 255
    assert mine[4:8] == model.sha256[:4]
    assert tokcodec.decode(mine, model=model_file).size == (100, 70)


def test_the_same_photographs_give_the_same_model(model_file, folder, capsys):
    again = folder / "again.safetensors"
    photographs = [
        str(folder / f"{name}.png") for name in ("astronaut", "chelsea", "coffee", "rocket")
    ]
    assert main([*COMMAND, "--images", *photographs, "--out", str(again), *FEW]) == 0
    assert load_model(again).id == load_model(model_file).id
    assert "pictures are few" in capsys.readouterr().err


def test_nothing_large_enough_to_train_on(tmp_path, capsys):
    Image.new("RGB", (20, 20)).save(tmp_path / "small.png")
    out = tmp_path / "m.safetensors"
    assert main([*COMMAND, "--images", str(tmp_path), "--out", str(out)]) == 1
    assert "large enough" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("images", "more", "told"),
    [
        ("nothere", [], "nothere"),
        (".", ["--seed", "-1"], "seed"),
        (".", ["--count", "0"], "count"),
        (".", ["--rounds", "0"], "rounds"),
        (".", ["--workers", "0"], "workers"),
    ],
)
def test_what_cannot_be_counted_is_said_in_a_line(images, more, told, tmp_path, capsys):
    out = tmp_path / "m.safetensors"
    assert main([*COMMAND, "--images", str(tmp_path / images), "--out", str(out), *more]) == 1
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_frequencies_sum_up_and_keep_their_floor():
    f = pyramid.frequencies(np.array([[0, 1, 0], [5, 1e9, 3], [1, 1, 1.0]]))
    assert (f.sum(1) == 1 << 24).all()
    assert f.min() >= pyramid.MIN_FREQUENCY


def test_planes_that_pay_more_than_those_before_them_count_as_one():
    gain, bits = np.array([9.0, 1.0, 6.0, 1.0]), np.array([1.0, 1.0, 2.0, 1.0])
    hull = pyramid.upper_hull([0, 1, 2, 3], gain, bits)
    assert [segment.planes for segment in hull] == [[0], [1, 2], [3]]
    assert [segment.gain for segment in hull] == [9, 7, 1]
    slopes = [segment.slope for segment in hull]
    assert slopes == sorted(slopes, reverse=True)
    assert pyramid.upper_hull([], gain, bits) == []


def test_edges_that_tell_most_are_kept():
    counts = np.zeros((10, 3))
    counts[:4] = [10, 1000, 10]
    counts[4:] = [300, 400, 300]
    assert pyramid.best_edges(counts, 2) == [3]


def test_levels_beyond_the_finest_counted_come_a_little_later():
    model = pyramid.first_guess()
    rng = np.random.default_rng(0)
    for name in (*pyramid.FITTED, "scores"):
        array = model.arrays[name]
        array[:] = rng.integers(1, 1000, array.shape)
    pyramid.extend(model, 6)
    for level in (7, 8):
        of, last = model.arrays, slice(16, 19)  # three bands each
        here = slice(last.start + 3 * (level - 6), last.stop + 3 * (level - 6))
        assert all(np.array_equal(of[name][:, here], of[name][:, last]) for name in pyramid.FITTED)
        later = of["scores"][:, last] - of["scores"][:, here]
        assert (later[1:] == 0).all()
        assert (later[0] == np.array(pyramid.FALL) * (level - 6)).all()


@pytest.mark.parametrize("finest", [0, 9])
def test_there_are_eight_levels_to_count(finest: int, folder, tmp_path, capsys):
    out = tmp_path / "m.safetensors"
    given = ["--images", str(folder), "--out", str(out), "--finest", str(finest)]
    assert main([*COMMAND, *given]) == 1
    assert "1..8" in capsys.readouterr().err


def test_a_stranger_cannot_decode_it(model_file, photograph, monkeypatch):
    data = tokcodec.encode(photograph("coffee", 40, 30), budget=5, model=model_file)
    monkeypatch.setattr(tokcodec.registry, "_opened", {})
    with pytest.raises(UnknownModelError, match="model="):
        tokcodec.decode(data)
    monkeypatch.setattr(tokcodec.registry, "_opened", {})
    assert tokcodec.info(data, model=model_file).tokens >= 5
    assert (
        tokcodec.cut(data, budget=2, model=model_file) == data[: len(tokcodec.cut(data, budget=2))]
    )
    with pytest.raises(ModelMismatchError):
        tokcodec.unpack(data, model="pyramid")
