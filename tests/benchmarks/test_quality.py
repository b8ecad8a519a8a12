"""The tables on quality: budgets for all are read off the rows, and nothing beyond them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image

from benchmarks import metrics, quality
from benchmarks.__main__ import main
from benchmarks.metrics.weights import FOLDER


def found(slopes: dict[str, float]) -> quality.Found:
    """Pictures whose DISTS falls with the logarithm of their bytes."""
    rows = []
    for name, slope in slopes.items():
        for step, size in ((10, 100), (50, 1000), (90, 10000)):
            dists = 0.6 - slope * np.log10(size)
            rows.append({
                "image": name, "codec": quality.OURS, "setting": step, "bytes": size,
                "tokens": 3 * size, "dists": dists, "ssimulacra2": 10.0, "psnr": 30.0,
            })  # fmt: skip
    return rows


def test_equal_pictures_need_no_quality():
    rows = found({"a": 0.1, "b": 0.1})
    assert quality.budget_for(rows, "bytes", 0.3) == pytest.approx(1000, rel=0.05)
    assert quality.at_budget(quality.curves(rows)[0], "tokens", 3000)[0] == pytest.approx(1000)
    assert "| 50 | 1,000 |" in quality.saved(rows)


def test_a_budget_for_all_reaches_its_aim_and_no_more():
    """Whatever it is rounded up by would count for quality."""
    rows = found({"a": 0.1, "b": 0.15})
    for wanted in (0.2, 0.2345, 0.25):
        budget = quality.budget_for(rows, "bytes", wanted)
        each = [quality.at_budget(curve, "bytes", budget)[1] for curve in quality.curves(rows)]
        assert np.mean(each) == pytest.approx(wanted, abs=1e-6)


def test_no_budget_beyond_the_rows():
    rows = found({"a": 0.1, "b": 0.12})
    assert quality.budget_for(rows, "bytes", 0.55) is None
    assert quality.budget_for(rows, "bytes", 0.05) is None


def test_a_table_of_how_even():
    table = quality.spread(found({"a": 0.1, "b": 0.12}), {})
    assert "| quality | 50 | 1,000 | 0.270 | 0.0300 |" in table


def test_webp_at_a_mean_size(photograph):
    pictures = [photograph(name, 96, 96) for name in ("coffee", "chelsea")]
    setting = quality.webp_at(pictures, 1500)
    codec = quality.find("webp")
    sizes = [len(codec.compress(Image.fromarray(p), {"quality": setting})) for p in pictures]
    assert np.mean(sizes) == pytest.approx(1500, rel=0.05)


@pytest.fixture
def folder(tmp_path, photograph):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.fromarray(photograph("coffee", 40, 30)).save(pictures / "coffee.png")
    (tmp_path / "pictures.tsv").write_text("of an earlier run\n")
    return pictures


def test_without_weights_nothing_is_begun(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(metrics, "_made", {})
    monkeypatch.setenv(FOLDER, str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for package in ("lpips", "DISTS_pytorch"):
        monkeypatch.setitem(sys.modules, package, None)
    assert main(["quality", "--images", str(folder), "--out", str(tmp_path)]) == 1
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "dists cannot be measured here" in said[0]
    assert (tmp_path / "pictures.tsv").read_text() == "of an earlier run\n"


def test_pictures_too_small_for_a_metric_are_refused(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(quality, "require", lambda names: None)
    monkeypatch.setattr(quality, "least_side", {"dists": 16, "ssimulacra2": 113, "psnr": 1}.get)
    assert main(["quality", "--images", str(folder), "--out", str(tmp_path)]) == 1
    assert "coffee.png is too small" in capsys.readouterr().err
    assert (tmp_path / "pictures.tsv").read_text() == "of an earlier run\n"
