"""The report from a fixture of two pictures whose numbers can be worked out by hand.

There tokcodec gains 1 dB a doubling from 20 dB (apple) and 24 dB (boat) at 64 bytes; WebP needs
twice its bytes for everything and nothing fits 64; JPEG fits only the apple, at 480 bytes. At full
size WebP fits only the apple, at 512.
"""

from __future__ import annotations

import argparse
import base64
import io
import math
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("matplotlib")
pytest.importorskip("bjontegaard")

from benchmarks import report
from benchmarks.report import tables
from benchmarks.report.compare import bd_rate, bytes_for, bytes_needed, curve_bd_rate, log_median
from benchmarks.report.curves import FULL_SIZE, METRICS, Curve, Results
from benchmarks.report.document import update, with_block
from benchmarks.report.plots import lines, plot
from benchmarks.report.sheets import choose_images, choose_targets
from benchmarks.report.style import label, looks
from benchmarks.rows import Row, read_folder, settings_text, write
from tokcodec.errors import ArgumentError, InputError, TokCodecWarning
from tokcodec.psnr import psnr

ROOT = Path(__file__).parents[3]
FIXTURE = Path(__file__).parent / "fixture_rows"
OURS = "tokcodec:pyramid@linear"
PSNR, LPIPS = METRICS[0], METRICS[1]


@pytest.fixture(scope="module")
def results() -> Results:
    return Results(read_folder(FIXTURE))


def cells(table: tables.Table, name: str) -> list[str]:
    """The cells of the line that starts with `name`."""
    return next(row[1:] for row in table.rows if row[0] == name)


# means


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


def test_a_picture_without_a_value_is_never_left_out_of_a_mean(results: Results) -> None:
    without = [r._replace(psnr=None) if r.image == "boat" else r for r in results.rows]
    assert cells(tables.means(Results(without), PSNR), "WebP") == ["–", "?", "?", "?"]
    missing = [r for r in results.rows if (r.image, r.codec) != ("boat", "webp")]
    assert cells(tables.means(Results(missing), PSNR), "WebP") == ["–", "– 1/2", "– 1/2", "– 1/2"]


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


# bytes needed


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


def test_a_file_that_is_larger_but_worse_is_passed_over() -> None:
    sizes = {64: 20.0, 128: 19.0, 256: 21.0}
    found = Results(Row("a", "webp", "1", "", n, "PSNR", n, psnr=v) for n, v in sizes.items())
    curve = found.curve("webp", PSNR, "a")
    assert (curve.bytes, curve.gains) == ((64, 256), (20.0, 21.0))
    assert curve.best(200) == (64, 20.0)
    assert curve.best(63) is None


def test_log_median() -> None:
    assert log_median([7.0, 1.0, 3.0]) == 3
    assert log_median([2.0, 8.0]) == 4
    assert log_median([100.0, math.inf]) == math.inf
    assert log_median([0.0, 100.0]) == 0


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


# BD-rate


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


# plots


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


def test_differences_are_between_same_pictures(results: Results) -> None:
    mean = results.difference("webp", OURS, LPIPS, 128)
    assert (mean.value, mean.low, mean.high) == pytest.approx((-0.1, -0.1, -0.1))
    assert results.difference("webp", OURS, LPIPS, 64).value is None
    assert results.difference("jpeg", OURS, PSNR, 512).value is None


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


def test_metrics_are_those_of_the_rows() -> None:
    assert {m.name for m in METRICS} == set(Row._fields[7:13])


# the document


def test_a_block_goes_between_its_markers_and_nowhere_else() -> None:
    text = "# By hand\n\n<!-- rd a begin -->\nold\n<!-- rd a end -->\n\nmore\n"
    new = with_block(text, "rd a", r"new \1")
    assert new == "# By hand\n\n<!-- rd a begin -->\n\nnew \\1\n\n<!-- rd a end -->\n\nmore\n"
    assert with_block(new, "rd a", r"new \1") == new
    added = with_block(new, "rd b", "b")
    assert added == new + "\n<!-- rd b begin -->\n\nb\n\n<!-- rd b end -->\n"


@pytest.mark.parametrize(
    "text",
    [
        "<!-- a begin -->",
        "<!-- a end -->\n<!-- a begin -->",
        "<!-- a begin --><!-- a end --><!-- a begin --><!-- a end -->",
    ],
)
def test_broken_markers_name_the_document(tmp_path: Path, text: str) -> None:
    path = tmp_path / "b.md"
    path.write_text(text)
    with pytest.raises(InputError, match=r'b.md: wanted one "<!-- a begin -->"'):
        update(path, {"a": "x"})
    assert path.read_text() == text


# all of it


def ask(*words: object) -> int:
    parser = argparse.ArgumentParser()
    report.add_arguments(parser)
    return report.run(parser.parse_args([str(w) for w in words]))


def files(folder: Path) -> dict[str, bytes]:
    found = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


def test_report_of_the_fixture(tmp_path: Path) -> None:
    document = tmp_path / "benchmarks.md"
    document.write_text("# Numbers\n\nBy hand.\n\n<!-- published begin --><!-- published end -->\n")
    assert ask(FIXTURE, "--out", tmp_path, "--no-pictures") == 0
    first = files(tmp_path)
    assert set(first) == {
        "benchmarks.md",
        "benchmarks/fixture_rows.md",
        "benchmarks/fixture_rows-psnr.svg",
        "benchmarks/fixture_rows-lpips_alex.svg",
        "benchmarks-fixture_rows.html",
    }
    text = document.read_text()
    assert text.startswith("# Numbers\n\nBy hand.\n\n<!-- published begin -->\n\n")
    assert "| WebP | – | 22.00 | 23.00 | 24.00 |" in text
    assert "| One-D-Piece-L | 256 | 12 | 384 | 18.80 | 0.18 | 7.61 |" in text
    assert text.index("published end") < text.index("<!-- rd fixture_rows begin -->")
    whole = (tmp_path / "benchmarks/fixture_rows.md").read_text()
    assert "| WebP | – | 22.00 | 23.00 | 24.00 |" in whole
    assert len(whole) > 2 * len(text[text.index("<!-- rd") :])
    for folder, page in ((tmp_path, text), (tmp_path / "benchmarks", whole)):
        for path in re.findall(r"\]\((.*?)\)", page):
            assert (folder / path).is_file()
    assert ask(FIXTURE, "--out", tmp_path, "--no-pictures") == 0
    assert files(tmp_path) == first


def test_without_the_pictures_the_rest_is_made_with_one_warning(tmp_path: Path) -> None:
    with pytest.warns(TokCodecWarning, match="contact sheets left out") as caught:
        assert ask(FIXTURE, "--out", tmp_path) == 0
    assert len(caught) == 1
    assert not list(tmp_path.rglob("*.jpg"))
    assert (tmp_path / "benchmarks.md").is_file()


def test_wrong_arguments(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="no rows for the pictures pear"):
        ask(FIXTURE, "--out", tmp_path, "--sheet-images", "apple,pear")
    with pytest.raises(ArgumentError, match="no rows for 100 bytes"):
        ask(FIXTURE, "--out", tmp_path, "--sheet-bytes", "64,100")
    with pytest.raises(ArgumentError, match="whole numbers"):
        ask(FIXTURE, "--out", tmp_path, "--sheet-bytes", "few")
    assert files(tmp_path) == {}


class Shrinking:
    """A codec for the tests: a PPM of `scale`."""

    version = "1"

    def __init__(self, name: str) -> None:
        if name == "missing":
            raise ArgumentError("no codec missing")
        self.name = name

    def encode(self, image: Image.Image, settings: dict[str, float]) -> bytes:
        out = io.BytesIO()
        image.resize((settings["width"], settings["width"]), Image.Resampling.LANCZOS).save(
            out, "PPM"
        )
        return out.getvalue()

    def decode(self, data: bytes, size: tuple[int, int]) -> Image.Image:
        return Image.open(io.BytesIO(data)).resize(size, Image.Resampling.BICUBIC)


def measured(
    codec: str, images: dict[str, Image.Image], widths: dict[int, int | None]
) -> list[Row]:
    """Rows of Shrinking; `widths` by target, None where nothing fits."""
    maker, rows = Shrinking("any"), []
    for name, image in images.items():
        for target, width in widths.items():
            if width is None:
                rows.append(Row(name, codec, "1", "nothing fits: smallest 99", target, "PSNR"))
                continue
            settings = {"width": width}
            data = maker.encode(image, settings)
            value = psnr(np.asarray(maker.decode(data, image.size)), np.asarray(image))
            text = settings_text(settings)
            rows.append(Row(name, codec, "1", text, target, "PSNR", len(data), value))
    return rows


@pytest.fixture
def bench(
    tmp_path: Path, photograph: Callable[[str, int, int], np.ndarray], monkeypatch
) -> SimpleNamespace:
    """Two pictures in a folder, and rows of three codecs for them."""
    monkeypatch.setitem(sys.modules, "benchmarks.codecs", SimpleNamespace(find=Shrinking))
    images, rows = tmp_path / "images", tmp_path / "rows"
    images.mkdir()
    rows.mkdir()
    loaded = {}
    for name, size in (("coffee", (60, 50)), ("chelsea", (60, 50))):
        image = Image.fromarray(photograph(name, *size))
        image.save(images / f"{name}.png")
        loaded[f"{name}.png"] = image
    write(rows / "ours.tsv", measured(OURS, loaded, {64: 4, 256: 8, 1024: 16}))
    write(rows / "webp.tsv", measured("webp", loaded, {64: None, 256: 6, 1024: 12}))
    write(rows / "thumbhash.tsv", measured("thumbhash", loaded, {64: 4, 256: 4, 1024: 4}))
    return SimpleNamespace(images=images, rows=rows, out=tmp_path / "docs", loaded=loaded)


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


def test_the_page_needs_nothing_else(bench: SimpleNamespace) -> None:
    page = bench.out / "page.html"
    ask(bench.rows, "--images", bench.images, "--out", bench.out, "--html", page)
    text = page.read_text()
    assert len(text) < 5_000_000
    sources, tags = [], []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)
            sources.extend(v for k, v in attrs if k in ("src", "href", "srcset"))

    Reader().feed(text)
    assert all(s.startswith(("data:", "#")) for s in sources)
    assert not {"script", "link", "iframe"} & set(tags)
    assert "url(" not in text
    pictures = [s for s in sources if s.startswith("data:image/jpeg")]
    # two contact sheets; of two pictures the original and three codecs at the middle target
    assert len(pictures) == 2 + 2 * 4
    for source in pictures:
        Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).load()


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


def test_full_size_rows_are_their_own(results: Results) -> None:
    assert results.full_size_differs("webp")
    assert not results.full_size_differs(OURS)
    apple = Results(r for r in results.rows if r.image == "apple")
    (dashed,) = (line for line in lines(apple, PSNR) if line.full_size)
    assert dashed.points[512].value == 18
    assert apple.mean("webp", PSNR, 512, FULL_SIZE).bytes == pytest.approx(505)


@pytest.mark.parametrize("name", ["kodak256", "kodak", "scikit-image"])
def test_the_documents_are_made_of_the_rows_that_are_there(name: str) -> None:
    """Whoever measures again reports again."""
    rows = ROOT / "benchmarks" / "results" / name
    results = Results(read_folder(rows))
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    assert report.summary(results, name, f"benchmarks/results/{name}") in text
    page = (ROOT / "docs" / "benchmarks" / f"{name}.md").read_text()
    for table in (tables.means(results, m).to_markdown() for m in results.metrics()):
        assert table in page
