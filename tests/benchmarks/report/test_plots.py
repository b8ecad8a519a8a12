"""Plots: small, the same twice, of means of all pictures."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

pytest.importorskip("matplotlib")

from benchmarks.report.curves import Results
from benchmarks.report.plots import lines, plot
from benchmarks.report.style import label, looks
from tests.benchmarks.report.asked import OURS, PSNR


def test_plots_are_small_svg_and_the_same_twice(results: Results) -> None:
    for metric in results.metrics():
        drawn = plot(results, metric)
        assert drawn == plot(results, metric)
        assert ElementTree.fromstring(drawn).tag.endswith("svg")
        assert len(drawn) < 100_000


def test_no_mean_of_the_pictures_that_fit_is_drawn(results: Results) -> None:
    drawn = {(line.codec, line.full_size): line.points for line in lines(results, PSNR)}
    assert set(drawn) == {(OURS, False), ("webp", False)}
    assert list(drawn["webp", False]) == [128, 256, 512]
    point = drawn["webp", False][128]
    assert (point.bytes, point.value, point.low, point.high) == (128, 22, 21, 23)


def test_a_plot_without_tokcodec_or_points_is_drawn_too(results: Results) -> None:
    for codec in ("webp", "jpeg"):
        some = Results(r for r in results.rows if r.codec == codec)
        assert plot(some, PSNR).startswith(b"<?xml")


def test_codecs_look_different_in_grey_too() -> None:
    names = (OURS, "tokcodec:other", "webp", "avif", "jxl", "jpeg2000", "jpeg", "thumbhash")
    styles = looks((*names, "blurhash", "heic", "new"))
    assert (
        len({s.marker for s in styles.values()}) == len({s.colour for s in styles.values()}) == 11
    )
    assert label("heic") == "heic"
    assert label(OURS) == "tokcodec pyramid, linear"
    assert label("tokcodec") == "tokcodec"
    assert label("tokcodec:a/b.safetensors@neural@realism=0.5") == (
        "tokcodec b.safetensors, neural, realism=0.5"
    )
