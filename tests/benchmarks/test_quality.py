"""The tables on quality: budgets for all are read off the rows, and nothing beyond them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from benchmarks import quality


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
