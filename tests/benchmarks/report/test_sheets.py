"""Sheets of pictures: those of the rows, those that look worst, and what is left out."""

from __future__ import annotations

import io
import math
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib")
pytest.importorskip("bjontegaard")

from benchmarks.report.curves import Results
from benchmarks.report.sheets import choose_images, choose_targets
from benchmarks.rows import LOSSLESS, Row, read_folder, write
from tests.benchmarks.report.asked import OURS, ask, files
from tests.benchmarks.report.shrinking import Shrinking, measured
from tokcodec.errors import TokCodecWarning


def test_targets_and_pictures_of_the_sheets(results: Results) -> None:
    assert choose_targets(results) == (64, 256)
    assert choose_targets(results, (128, 512)) == (128, 512)
    odd = Results(Row("a", OURS, "1", "", t, "PSNR", t, psnr=20.0) for t in range(100, 1100, 100))
    assert choose_targets(odd) == (100, 400, 700, 1000)
    assert choose_images(results, results.images) == ["apple", "boat"]
    leads = {"a": 0.5, "b": 1.5, "c": 0.0, "d": 1.0}  # dB of tokcodec before WebP
    rows = [
        Row(name, codec, "1", "", t, "PSNR", t, psnr=20 + math.log2(t) + lead * (codec == OURS))
        for name, lead in leads.items()
        for codec in (OURS, "webp")
        for t in (64, 128, 256, 512, 1024)
    ]
    assert choose_images(Results(rows), sorted(leads)) == ["c", "d", "b"]


def test_contact_sheets_show_the_pictures_of_the_rows(bench: SimpleNamespace) -> None:
    assert ask(bench.rows, "--images", bench.images, "--out", bench.out) == 0
    first = files(bench.out)
    data = first["benchmarks/rows-coffee.png.jpg"]
    assert len(data) < 400_000
    sheet = np.asarray(Image.open(io.BytesIO(data))).astype(float)

    def tile(row: int, column: int) -> np.ndarray:
        left, top = 108 + column * 66, (23 if row == 0 else 23 + 73 + 23 + (row - 1) * 73)
        return sheet[top : top + 50, left : left + 60]

    image, maker = bench.loaded["coffee.png"], Shrinking("any")

    def expected(width: int) -> np.ndarray:
        shown = maker.decode(maker.encode(image, {"width": width}), image.size)
        return np.asarray(shown).astype(float)

    assert np.abs(tile(0, 0) - np.asarray(image)).mean() < 4
    assert np.abs(tile(0, 1) - expected(4)).mean() < 4  # makes one file only: beside the original
    for column, width in enumerate((4, 8, 16)):
        assert np.abs(tile(1, column) - expected(width)).mean() < 4
    assert tile(2, 0).std() < 3  # nothing fits
    assert np.abs(tile(2, 1) - expected(6)).mean() < 4
    assert ask(bench.rows, "--images", bench.images, "--out", bench.out) == 0
    assert files(bench.out) == first


def test_the_pictures_that_look_worst_are_shown_by_every_decoder(bench: SimpleNamespace) -> None:
    for number, codec in enumerate(("tokcodec:pyramid", OURS)):
        rows = [
            row._replace(lpips_alex=0.9 if row.image.startswith("coffee") else 0.2)
            for row in measured(codec, bench.loaded, {256: 8})
        ]
        write(bench.rows / f"worst-{number}.tsv", rows)
    (bench.rows / "ours.tsv").unlink()
    assert ask(bench.rows, "--images", bench.images, "--out", bench.out) == 0
    assert "(rows-worst.jpg)" in (bench.out / "benchmarks/rows.md").read_text()
    sheet = np.asarray(Image.open(bench.out / "benchmarks/rows-worst.jpg")).astype(float)
    for number, name in enumerate(("coffee.png", "chelsea.png")):  # worst first
        top, original = 23 + 73 * number + 17, np.asarray(bench.loaded[name])
        assert np.abs(sheet[top : top + 50, 108:168] - original).mean() < 6
        first, second = (sheet[top : top + 50, left : left + 60] for left in (174, 240))
        assert np.abs(first - second).mean() < 6
        assert np.abs(first - original).mean() > 9


def test_without_lpips_or_a_second_decoder_nothing_is_called_worst(bench: SimpleNamespace) -> None:
    ask(bench.rows, "--images", bench.images, "--out", bench.out)
    assert not (bench.out / "benchmarks/rows-worst.jpg").exists()


def test_sheets_of_an_earlier_run_stay_without_the_pictures(bench: SimpleNamespace) -> None:
    ask(bench.rows, "--images", bench.images, "--out", bench.out)
    first = files(bench.out)
    for path in bench.images.iterdir():
        path.unlink()
    with pytest.warns(TokCodecWarning, match="holds no picture"):
        ask(bench.rows, "--images", bench.images, "--out", bench.out)
    again = files(bench.out)
    page = "benchmarks-rows.html"
    assert {k: v for k, v in again.items() if k != page} == {
        k: v for k, v in first.items() if k != page
    }
    assert b"data:image/jpeg" in again[page]


def test_a_picture_without_any_error_is_shown(bench: SimpleNamespace) -> None:
    flat = Image.new("RGB", (60, 50), (9, 99, 199))
    for path in bench.images.iterdir():
        flat.save(path)
    for path in bench.rows.iterdir():
        path.unlink()
    for codec in (OURS, "webp"):
        rows = measured(codec, dict.fromkeys(bench.loaded, flat), {64: 2, 256: 4})
        assert {row.psnr for row in rows} == {math.inf}
        write(bench.rows / f"{codec}.tsv", [r._replace(psnr=LOSSLESS) for r in rows])
    with warnings.catch_warnings():
        warnings.simplefilter("error", TokCodecWarning)
        ask(bench.rows, "--images", bench.images, "--out", bench.out)


def test_a_codec_that_makes_other_files_now_is_not_shown(bench: SimpleNamespace) -> None:
    rows = read_folder(bench.rows)
    old = [r._replace(bytes=(r.bytes or 0) - 1) for r in rows if r.codec == OURS]
    write(bench.rows / "ours.tsv", old)
    write(bench.rows / "more.tsv", [r._replace(codec="missing") for r in rows if r.codec == OURS])
    with pytest.warns(TokCodecWarning, match="with gaps") as caught:
        ask(bench.rows, "--images", bench.images, "--out", bench.out)
    assert len(caught) == 1
    assert "does not make the files of the rows again" in str(caught[0].message)
    assert "no codec missing" in str(caught[0].message)
    assert len(list(bench.out.rglob("*.jpg"))) == 2
