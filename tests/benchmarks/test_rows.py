"""Rows: text and back, sorted and whole, and one clear error for what is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import published
from benchmarks.published import Published
from benchmarks.rows import (
    CHOSEN_BY,
    Row,
    nothing_fits,
    parse_settings,
    read,
    read_folder,
    settings_text,
    write,
)
from tokcodec.errors import ArgumentError, InputError

FIXTURE = Path(__file__).parent / "report" / "fixture_rows"
FITS = Row(
    "boat", "webp", "Pillow 13.0.0, libwebp 1.6.0", "scale=0.25 quality=17", 64, "PSNR",
    61, 18.25, 0.5, 0.75, 0.625, 0.375, -12.5, 3.5, 1.25,
)  # fmt: skip
EMPTY = Row("apple", "webp", "Pillow 13.0.0, libwebp 1.6.0", nothing_fits(70), 64, "LPIPS-Alex")


def test_rows_come_back_sorted_and_equal(tmp_path: Path) -> None:
    path = tmp_path / "webp.tsv"
    write(path, [FITS, EMPTY])
    assert read(path) == [EMPTY, FITS]
    assert path.read_text().splitlines()[1].endswith("LPIPS-Alex" + "\t" * 9)


def test_six_digits_are_kept_and_infinity(tmp_path: Path) -> None:
    path = tmp_path / "webp.tsv"
    write(path, [FITS._replace(psnr=24.1234567, lpips_alex=float("inf"))])
    (row,) = read(path)
    assert (row.psnr, row.lpips_alex) == (24.1235, float("inf"))


def test_writing_what_was_read_changes_no_byte(tmp_path: Path) -> None:
    for path in FIXTURE.glob("*.tsv"):
        write(tmp_path / path.name, read(path))
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()


def test_settings_keep_their_kinds() -> None:
    settings = {"scale": 0.25, "quality": 17, "subsampling": "4:2:0", "rate": 1e-05}
    assert parse_settings(settings_text(settings)) == settings
    with pytest.raises(ArgumentError, match="spaces"):
        settings_text({"name": "two words"})
    with pytest.raises(InputError, match="nothing fits"):
        parse_settings(nothing_fits(70))


BROKEN = {
    "too few cells": (lambda cells: cells[:-1], "14 cells, wanted 15"),
    "bytes in words": (
        lambda cells: [*cells[:6], "many", *cells[7:]],
        'bytes is no number: "many"',
    ),
    "a half byte": (lambda cells: [*cells[:6], "60.5", *cells[7:]], "bytes is no number"),
    "metric in words": (
        lambda cells: [*cells[:7], "good", *cells[8:]],
        'psnr is no number: "good"',
    ),
    "not a number": (lambda cells: [*cells[:7], "nan", *cells[8:]], "nan"),
    "more than the target": (lambda cells: [*cells[:6], "65", *cells[7:]], "65 bytes for a target"),
    "no bytes but metrics": (lambda cells: [*cells[:6], "", *cells[7:]], "but no bytes"),
    "unknown choice": (lambda cells: [*cells[:5], "SSIM", *cells[6:]], 'not "SSIM"'),
    "no target": (lambda cells: [*cells[:4], "", *cells[5:]], "no target"),
    "no image": (lambda cells: ["", *cells[1:]], "no image"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_row_names_file_and_line(tmp_path: Path, case: str) -> None:
    path = tmp_path / "webp.tsv"
    write(path, [FITS, EMPTY])
    lines = path.read_text().splitlines()
    change, message = BROKEN[case]
    lines[2] = "\t".join(change(lines[2].split("\t")))
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"webp\.tsv, line 3") as caught:
        read(path)
    assert message in str(caught.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("image\tbytes\n")
    with pytest.raises(InputError, match=r"a.tsv, line 1.*wanted: image codec"):
        read(tmp_path / "a.tsv")
    (tmp_path / "b.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"cannot read .*b.tsv"):
        read(tmp_path / "b.tsv")
    with pytest.raises(InputError, match="No such file"):
        read(tmp_path / "c.tsv")
    with pytest.raises(InputError, match="no rows"):
        read_folder(tmp_path / "nowhere")


def test_nothing_is_measured_twice(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="two rows"):
        write(tmp_path / "a.tsv", [FITS, FITS._replace(psnr=1.0)])
    write(tmp_path / "a.tsv", [FITS])
    line = (tmp_path / "a.tsv").read_text().splitlines()[1]
    with (tmp_path / "a.tsv").open("a") as f:
        f.write(line + "\n")
    with pytest.raises(InputError, match=r"a.tsv, line 3: a second row"):
        read(tmp_path / "a.tsv")
    for name in ("a.tsv", "b.tsv"):
        write(tmp_path / name, [FITS])
    with pytest.raises(InputError, match=r"b.tsv and .*a.tsv both"):
        read_folder(tmp_path)


@pytest.mark.parametrize("text", ["tab\there", "line\nbreak", "other\x85break", "at its end\n"])
def test_text_that_would_break_the_table_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ArgumentError, match="tab or a line break"):
        write(tmp_path / "a.tsv", [FITS._replace(image=text)])
    assert not (tmp_path / "a.tsv").exists()


def test_a_folder_is_read_whole() -> None:
    rows = read_folder(FIXTURE)
    assert {r.codec for r in rows} == {"tokcodec:pyramid@linear", "webp", "jpeg"}
    assert {r.chosen_by for r in rows} == set(CHOSEN_BY)


def test_published_points_name_data_and_source() -> None:
    points = published.published()
    for name in ("TiTok", "One-D-Piece", "FlexTok", "KARL", "ALIT"):
        assert any(p.name.startswith(name) for p in points)
    assert all("ImageNet" in p.data and p.source for p in points)
    assert Published(
        "KARL", 256, 12.0, 384, 21.08, 0.154, None, "ImageNet val (50,000), 256x256",
        "ChannelTok paper, table 8, measured again there in half precision",
    ) in points  # fmt: skip


def test_a_published_point_with_the_wrong_bytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "published.tsv"
    lines = published.TABLE.read_text().splitlines()[:2]
    path.write_text("\n".join(lines).replace("\t48\t", "\t50\t"))
    with pytest.raises(InputError, match=r"published.tsv, line 2: 32 tokens of 12.0 bits"):
        published.published(path)
