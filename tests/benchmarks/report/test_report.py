"""All of the report, and a page that needs nothing else."""

from __future__ import annotations

import base64
import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

pytest.importorskip("matplotlib")
pytest.importorskip("bjontegaard")

from tests.benchmarks.report.asked import FIXTURE, ask, files
from tokcodec.errors import ArgumentError, TokCodecWarning


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


def test_rows_below_the_results_are_called_after_their_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of one set may be part of several benchmarks."""
    monkeypatch.chdir(tmp_path)
    document = tmp_path / "docs" / "benchmarks.md"
    document.parent.mkdir()
    document.write_text("<!-- rd kodak256 begin -->\nthe set's\n<!-- rd kodak256 end -->\n")
    rows = tmp_path / "benchmarks" / "results" / "register" / "kodak256"
    shutil.copytree(FIXTURE, rows)
    for given in (rows, rows.relative_to(tmp_path)):
        assert ask(given, "--no-pictures") == 0
        text = document.read_text()
        assert "\nthe set's\n" in text
        assert "<!-- rd register-kodak256 begin -->" in text
        assert "rows in `benchmarks/results/register/kodak256`" in text
    assert not list((tmp_path / "docs").rglob("kodak256*"))
    shutil.copytree(FIXTURE, tmp_path / "kodak256")
    with pytest.raises(ArgumentError, match="would replace what the document says of kodak256"):
        ask(tmp_path / "kodak256", "--no-pictures")
    assert document.read_text() == text
    assert ask(tmp_path / "kodak256", "--no-pictures", "--out", tmp_path / "other") == 0
    assert (tmp_path / "other" / "benchmarks" / "kodak256.md").is_file()


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
