"""Bytes for a fidelity, and BD-rates."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("bjontegaard")

from benchmarks.report import tables
from benchmarks.report.compare import bd_rate, bytes_for, curve_bd_rate, log_median
from benchmarks.report.curves import Curve, Results
from tests.benchmarks.report.asked import LPIPS, OURS, PSNR, cells


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        (20.0, (64, 64)),
        (21.0, (128, 128)),  # half way in log2
        (23.0, (256 * math.sqrt(2), 256 * math.sqrt(2))),
        (24.0, (512, 512)),
        (24.1, (1024, math.inf)),  # not within the largest target
        (19.9, (32, 64)),  # nothing fits 32, and 64 are more than enough
    ],
)
def test_bytes_for_a_fidelity(gain: float, expected: tuple[float, float]) -> None:
    curve = Curve((64, 256, 512), (20.0, 22.0, 24.0), 32, 1024)
    assert bytes_for(curve, gain) == pytest.approx(expected)


def test_bytes_for_a_curve_without_points() -> None:
    assert bytes_for(Curve((), (), 512, 512), 20.0) == (512, math.inf)


def test_log_median() -> None:
    assert log_median([7.0, 1.0, 3.0]) == 3
    assert log_median([2.0, 8.0]) == 4
    assert log_median([100.0, math.inf]) == math.inf
    assert log_median([0.0, 100.0]) == 0


def test_bd_rate_by_hand(results: Results) -> None:
    same = bd_rate(results, PSNR, OURS, OURS)
    assert (same.known, same.percent) == (2, pytest.approx(0, abs=1e-9))
    half = bd_rate(results, PSNR, OURS, "webp")
    assert (half.images, half.known, half.percent) == (2, 2, pytest.approx(-50))
    assert bd_rate(results, LPIPS, OURS, "webp").percent == pytest.approx(-50)
    assert bd_rate(results, PSNR, "webp", OURS).percent == pytest.approx(100)
    assert bd_rate(results, PSNR, OURS, "jpeg").percent is None
    table = tables.bd_rates(results, OURS)
    assert table.columns == ["", "PSNR", "LPIPS-Alex"]
    assert cells(table, "WebP") == ["−50 %", "−50 %"]
    assert cells(table, "JPEG") == ["–", "–"]


def test_bd_rates_average_as_ratios(results: Results) -> None:
    """Half the bytes on the apple and twice on the boat is no gain, not 25 % more."""
    double = [
        r._replace(psnr=None if r.psnr is None else r.psnr + 2)
        if (r.image, r.codec) == ("boat", "webp")
        else r
        for r in results.rows
    ]
    assert bd_rate(Results(double), PSNR, OURS, "webp").percent == pytest.approx(0, abs=1e-9)


def test_no_bd_rate_from_next_to_no_overlap() -> None:
    low = Curve((64, 128, 256), (20.0, 21.0, 22.0), 0, 256)
    assert curve_bd_rate(low, Curve((64, 128, 256), (23.0, 24.0, 25.0), 0, 256)) is None
    assert curve_bd_rate(low, Curve((64, 128, 256), (21.8, 24.0, 25.0), 0, 256)) is None
    assert curve_bd_rate(low, Curve((64, 128), (20.0, 22.0), 0, 256)) is None
    assert curve_bd_rate(low, Curve((32, 64, 128), (20.0, 21.0, 22.0), 0, 256)) == pytest.approx(
        -50
    )
