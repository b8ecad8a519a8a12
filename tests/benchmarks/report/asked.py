"""What the tests of the report ask for, and where."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import report
from benchmarks.report import tables
from benchmarks.report.curves import METRICS

FIXTURE = Path(__file__).parent / "fixture_rows"
OURS = "tokcodec:pyramid@linear"
PSNR, LPIPS = METRICS[0], METRICS[1]


def cells(table: tables.Table, name: str) -> list[str]:
    """The cells of the line that starts with `name`."""
    return next(row[1:] for row in table.rows if row[0] == name)


def ask(*words: object) -> int:
    parser = argparse.ArgumentParser()
    report.add_arguments(parser)
    return report.run(parser.parse_args([str(w) for w in words]))


def files(folder: Path) -> dict[str, bytes]:
    found = (p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}
