"""Weights of quality: crops come again, rows are kept, and a fit finds what was put in."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from benchmarks import fit_quality, judged
from benchmarks.__main__ import main
from benchmarks.judged import Judged
from tokcodec.errors import ArgumentError, InputError
from tokcodec.quality import GROUPS
from tokcodec.train.images.files import Place


@pytest.fixture(scope="module")
def folder(photograph, tmp_path_factory):
    """Photographs whose names keep them from training, and one that does not."""
    path = tmp_path_factory.mktemp("photographs")
    names = (f"{number}.png" for number in range(10_000))
    held = [name for name in names if Place(path, name, 0, None).held_out][:9]
    for name, picture in zip([*held, "0.png"], 4 * ("coffee", "chelsea", "rocket"), strict=False):
        Image.fromarray(photograph(picture, 120, 100)).save(path / name)
    return path


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(judged, "ROUND", ((64, 96), (64, 64)))


def test_only_photographs_kept_from_training(folder, tmp_path):
    found = judged.sources([folder])
    assert len(found) == 9
    with pytest.raises(InputError, match="kept from training"):
        judged.sources([tmp_path])


def test_a_crop_comes_again(folder, small):
    chosen = judged.sources([folder])
    name, rgb = judged.crop_of(4, chosen, seed=1)
    again, same = judged.crop_of(4, chosen, seed=1)
    assert name == again
    assert rgb.shape == (64, 96, 3)
    assert np.array_equal(rgb, same)
    assert judged.crop_of(5, chosen, seed=1)[1].shape == (64, 64, 3)


def test_no_photograph_is_large_enough(folder):
    with pytest.raises(InputError, match="448 x 320"):
        judged.crop_of(6, judged.sources([folder]), seed=1)


def test_rows_are_kept(tmp_path):
    rows = [
        Judged(0, 10, 20, 0.5, -60.5, 17.25, 1, 'a\t"b"\udcff.png'),
        Judged(1, 11, 22, 0.25, float("nan"), 20.0, 1, "c, d.png"),
    ]
    judged.write(tmp_path / "rows.tsv", rows)
    first, second = judged.read(tmp_path / "rows.tsv")
    assert first == rows[0]
    assert second[:4] == rows[1][:4]
    assert second[5:] == rows[1][5:]
    assert np.isnan(second.ssimulacra2)
    assert judged.read(tmp_path / "none.tsv") == []
    (tmp_path / "rows.tsv").write_text("something else\n")
    with pytest.raises(InputError, match="judged"):
        judged.read(tmp_path / "rows.tsv")
    (tmp_path / "rows.tsv").write_text("\t".join(Judged._fields[:6]) + "\n0\t9\t20\t1\t2\t3\n")
    with pytest.raises(InputError, match="do not say what the crops were cut from"):
        judged.read(tmp_path / "rows.tsv")


def test_rows_of_other_crops_are_refused(folder, small, tmp_path):
    """They would be taken for what other photographs, or other parts of them, look like."""
    path, asked = tmp_path / "rows.tsv", []

    def measure(name, a, b):
        asked.append(name)
        return 0.25

    chosen = judged.sources([folder])
    rows = fit_quality.collect(chosen, 2, 1, path, measure)
    before = len(asked)
    assert before == 2 * judged.PREFIXES * 3
    assert fit_quality.collect(chosen, 2, 1, path, measure) == rows
    for others, seed in ((chosen[1:], 1), (chosen, 2)):
        with pytest.raises(ArgumentError, match="crop 0 was cut from"):
            fit_quality.collect(others, 2, seed, path, measure)
    assert len(asked) == before


def test_what_a_prefix_leaves_out(photograph):
    rgb = photograph("chelsea", 96, 64)
    everything = tokcodec.info(tokcodec.encode(rgb, quality=100)).tokens
    found, sizes = fit_quality.told(rgb, [0, 50, 500, everything])
    assert sizes[0] == 0
    assert sizes[1] == pytest.approx(len(tokcodec.encode(rgb, budget=50, bare=True)), abs=2)
    assert found.shape == (4, GROUPS)
    assert (np.diff(found, axis=0) <= 1e-6).all()
    assert found[0].max() < 1
    assert found[-1].max() < 0.05


def test_a_fit_finds_the_weights():
    rng = np.random.default_rng(0)
    x = rng.random((200, 4))
    found = fit_quality.fit(x, x @ [0.3, 0.1, 0.5, -0.2])
    assert found[3] == fit_quality.FLOOR
    assert found[:3] == pytest.approx([0.3, 0.1, 0.5], abs=0.15)
    exact = fit_quality.fit(x, x @ [0.3, 0.1, 0.5, 0.2])
    assert exact == pytest.approx([0.3, 0.1, 0.5, 0.2], abs=1e-6)


def command(folder: Path, rows: Path, out: Path, count: int) -> list[str]:
    args = "--images", folder, "--rows", rows, "--out", out, "--count", count
    return ["fit-quality", *map(str, args)]


def test_from_photographs_to_a_file(folder, small, tmp_path, monkeypatch):
    def measure(name, a, b):
        """Something that falls as the picture gets better, in place of a network."""
        off = float(np.abs(a.astype(float) - b).mean())
        return {"dists": off / 100, "ssimulacra2": None, "psnr": 30.0}[name]

    monkeypatch.setattr(fit_quality, "measure", measure)
    rows, out = tmp_path / "rows.tsv", tmp_path / "quality.json"
    args = command(folder, rows, out, 16)
    assert main(args) == 0
    found = json.loads(out.read_text())
    assert len(found["weights"]) == GROUPS
    assert found["usual"][1] <= 0
    assert found["prefixes"] <= 16 * judged.PREFIXES
    before = rows.read_bytes()
    assert main(args) == 0  # nothing is measured twice
    assert rows.read_bytes() == before


def test_where_nothing_can_be_written_nothing_is_measured(folder, tmp_path, capsys):
    args = command(folder, tmp_path / "r", tmp_path, 16)
    assert main(args) == 1
    assert "exists already" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_bad_arguments(folder, tmp_path, capsys):
    args = command(folder, tmp_path / "r", tmp_path / "q", 3)
    assert main(args) == 1
    assert "--count" in capsys.readouterr().err
