"""Tables of means and bytes needed, worked out by hand."""

from __future__ import annotations

import math

import pytest

from benchmarks.report import tables
from benchmarks.report.compare import bytes_needed
from benchmarks.report.curves import Results
from benchmarks.report.plots import lines
from benchmarks.rows import Row
from tests.benchmarks.report.asked import LPIPS, OURS, PSNR, cells


def test_means_and_what_does_not_fit(results: Results) -> None:
    table = tables.means(results, PSNR)
    assert table.columns == ["bytes", "64", "128", "256", "512"]
    best = ["**22.00**", "**23.00**", "**24.00**", "**25.00**"]
    assert cells(table, "tokcodec pyramid, linear") == best
    assert cells(table, "WebP") == ["–", "22.00", "23.00", "24.00"]
    assert cells(table, "WebP, full size") == ["–", "–", "–", "– 1/2"]
    assert cells(table, "JPEG") == ["–", "–", "–", "– 1/2"]


def test_lower_is_better_for_lpips(results: Results) -> None:
    table = tables.means(results, LPIPS)
    assert cells(table, "tokcodec pyramid, linear")[0] == "**0.700**"
    assert cells(table, "WebP") == ["–", "0.700", "0.600", "0.500"]


def test_a_picture_without_a_value_is_never_left_out_of_a_mean(results: Results) -> None:
    without = [r._replace(psnr=None) if r.image == "boat" else r for r in results.rows]
    assert cells(tables.means(Results(without), PSNR), "WebP") == ["–", "?", "?", "?"]
    missing = [r for r in results.rows if (r.image, r.codec) != ("boat", "webp")]
    assert cells(tables.means(Results(missing), PSNR), "WebP") == ["?", "?", "?", "?"]


def test_what_was_not_measured_is_not_said_not_to_fit(results: Results) -> None:
    """JPEG was never tried at 64 and 128 bytes; WebP on the boat not at 256."""
    found = Results(
        r
        for r in results.rows
        if not (r.codec == "jpeg" and r.target < 256)
        and (r.image, r.codec, r.target) != ("boat", "webp", 256)
    )
    table = tables.means(found, PSNR)
    assert cells(table, "JPEG") == ["?", "?", "–", "– 1/2"]
    assert cells(table, "WebP") == ["–", "22.00", "?", "24.00"]
    back = tables.needed(found, PSNR, OURS)[1]
    assert cells(back, "JPEG") == ["?", "?", "–", "– 1/2"]
    assert cells(back, "WebP") == ["–", "64 (128)", "?", "256 (512)"]
    blind = [r._replace(lpips_alex=None) if r.codec == "webp" else r for r in results.rows]
    rates = tables.bd_rates(Results(blind), OURS)
    assert cells(rates, "WebP") == ["−50 %", "?"]
    assert cells(rates, "JPEG") == ["–", "–"]


def test_the_same_file_for_a_larger_target_is_said_to_be() -> None:
    thumb = [
        Row("a", "thumbhash", "1", "", t, "PSNR", 24, psnr=17.0, lpips_alex=0.9) for t in (24, 64)
    ]
    ours = [Row("a", OURS, "1", "", t, "PSNR", t, psnr=t / 4, lpips_alex=0.5) for t in (24, 64)]
    found = Results(thumb + ours)
    assert cells(tables.means(found, PSNR), "ThumbHash") == ["**17.00**", "**=**"]
    assert [len(line.points) for line in lines(found, PSNR)] == [2, 1]
    back = tables.needed(found, PSNR, OURS)[1]
    assert cells(back, "ThumbHash") == [">64 (24)", "="]


def test_what_looks_equal_is_equally_bold() -> None:
    values = {"webp": 20.001, "avif": 20.004, "jpeg": 19.994}
    found = Results(Row("a", c, "1", "", 64, "PSNR", 64, psnr=v) for c, v in values.items())
    shown = {row[0]: row[1] for row in tables.means(found, PSNR).rows}
    assert shown == {"WebP": "**20.00**", "AVIF": "**20.00**", "JPEG": "19.99"}


@pytest.mark.parametrize("metric", [PSNR, LPIPS])
def test_bytes_needed_by_hand(results: Results, metric) -> None:
    theirs, back = tables.needed(results, metric, OURS)
    assert cells(theirs, "WebP") == ["128", "256", "512", ">512"]
    assert cells(back, "WebP") == ["–", "64 (128)", "128 (256)", "256 (512)"]
    assert cells(back, "JPEG") == ["–", "–", "–", "– 1/2"]


def test_bounds_by_hand(results: Results) -> None:
    """The apple's JPEG, 480 bytes, is better than tokcodec up to 21.5 dB, worse beyond; the boat
    has none within 512.
    """
    needed = bytes_needed(results, PSNR, "jpeg", OURS, 128)
    assert (needed.images, needed.fits, needed.known) == (2, 2, 0)
    assert needed.low == pytest.approx(math.sqrt(256 * 512))
    assert needed.high == math.inf
    theirs = tables.needed(results, PSNR, OURS)[0]
    assert cells(theirs, "JPEG") == [">362", ">362", ">512", ">512"]


def test_how_many_pictures_a_median_is_known_for(results: Results) -> None:
    """A boat that WebP can only do at 512 bytes, and better than tokcodec does at 64."""
    rows = [
        r for r in results.rows if (r.image, r.codec) != ("boat", "webp") or r.target == 512
    ]  # targets up to 256 were not tried: the bound below is 0
    theirs = tables.needed(Results(rows), PSNR, OURS)[0]
    assert cells(theirs, "WebP") == ["<256 1/2", "<362 1/2", "512", ">512"]
