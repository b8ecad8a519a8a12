"""Rows to means and curves: each metric's own rows, no picture left out."""

from __future__ import annotations

import pytest

from benchmarks.report.curves import METRICS, Results
from benchmarks.report.plots import lines
from benchmarks.rows import FULL_SIZE, Row
from tests.benchmarks.report.asked import LPIPS, OURS, PSNR


def test_metrics_are_those_of_the_rows() -> None:
    assert {m.name for m in METRICS} == set(Row._fields[7:13])


def test_each_metric_reads_the_rows_chosen_for_it() -> None:
    made = [
        Row("a", "webp", "1", "quality=1", 64, "PSNR", 64, psnr=20.0, lpips_alex=0.9),
        Row("a", "webp", "1", "quality=2", 64, "LPIPS-Alex", 64, psnr=18.0, lpips_alex=0.4),
        Row("a", "jpeg", "1", "quality=2", 64, "PSNR", 64, psnr=17.0, lpips_alex=0.8),
        Row("a", OURS, "1", "max_bytes=64", 64, "PSNR", 64, psnr=21.0, lpips_alex=0.7),
        Row("a", OURS, "1", "max_bytes=24", 64, "LPIPS-Alex", 24, psnr=18.0, lpips_alex=0.6),
    ]
    found = Results(made)
    assert found.mean("webp", PSNR, 64).value == 20
    assert found.mean("webp", LPIPS, 64).value == 0.4
    assert found.mean("jpeg", LPIPS, 64).value == 0.8  # nothing was chosen: its only file
    assert found.mean(OURS, LPIPS, 64).value == 0.7  # what the limit gives, liked or not


def test_a_file_that_is_larger_but_worse_is_passed_over() -> None:
    sizes = {64: 20.0, 128: 19.0, 256: 21.0}
    found = Results(Row("a", "webp", "1", "", n, "PSNR", n, psnr=v) for n, v in sizes.items())
    curve = found.curve("webp", PSNR, "a")
    assert (curve.bytes, curve.gains) == ((64, 256), (20.0, 21.0))
    assert curve.best(200) == (64, 20.0)
    assert curve.best(63) is None


def test_differences_are_between_same_pictures(results: Results) -> None:
    mean = results.difference("webp", OURS, LPIPS, 128)
    assert (mean.value, mean.low, mean.high) == pytest.approx((-0.1, -0.1, -0.1))
    assert results.difference("webp", OURS, LPIPS, 64).value is None
    assert results.difference("jpeg", OURS, PSNR, 512).value is None


def test_full_size_rows_are_their_own(results: Results) -> None:
    assert results.full_size_differs("webp")
    assert not results.full_size_differs(OURS)
    apple = Results(r for r in results.rows if r.image == "apple")
    (dashed,) = (line for line in lines(apple, PSNR) if line.full_size)
    assert dashed.points[512].value == 18
    assert apple.mean("webp", PSNR, 512, FULL_SIZE).bytes == pytest.approx(505)
