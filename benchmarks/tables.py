"""Columns and rows in, tab-separated text in a file and a Markdown table out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokcodec.files import make_folder, write_atomically

Cell = str | int | float | None


def write_tsv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
    """Write rows under a line of column names; numbers with six digits, None as an empty cell.

    Raises:
        OutputError: the file cannot be written; nothing is left behind.
    """
    make_folder(path.parent)
    lines = ["\t".join(columns)]
    lines += ["\t".join(_text(cell, 6) for cell in row) for row in rows]
    write_atomically(path, ("\n".join(lines) + "\n").encode(), overwrite=True)


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """The same as a Markdown table; numbers with three digits, None as a dash."""
    lines = [_line(columns), _line("---" for _ in columns)]
    lines += [_line("–" if cell is None else _text(cell, 3) for cell in row) for row in rows]
    return "\n".join(lines) + "\n"


def _line(cells) -> str:
    return "| " + " | ".join(str(c).replace("|", "/") for c in cells) + " |"


def _text(cell: Cell, digits: int) -> str:
    """
    >>> _text(1234567.0, 3), _text(0.012345, 3), _text(0.5, 3)
    ('1,234,567', '0.0123', '0.5')
    """
    if cell is None:
        return ""
    if isinstance(cell, float):
        if digits > 3:
            return f"{cell:.{digits}g}"
        return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.{digits}g}"
    return " ".join(str(cell).split())
