"""Blocks of a document between their markers, and the documents as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.report import tables
from benchmarks.report.curves import Results
from benchmarks.report.document import update, with_block
from benchmarks.rows import read_folder
from tokcodec.errors import InputError

ROOT = Path(__file__).parents[3]


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
