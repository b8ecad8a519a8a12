"""Results to tables that Markdown and HTML can both show."""

from __future__ import annotations

import html
import math
from typing import NamedTuple

from benchmarks.published import published
from benchmarks.report.compare import Needed, bd_rate, bytes_needed
from benchmarks.report.curves import Mean, Metric, Results
from benchmarks.report.style import label
from benchmarks.rows import FULL_SIZE, is_ours
from benchmarks.tables import markdown

NONE, SAME, UNKNOWN = "–", "=", "?"


class Table(NamedTuple):
    """Cells are text; ** around a cell makes it bold, ` makes it code."""

    title: str
    columns: list[str]
    rows: list[list[str]]

    def to_markdown(self) -> str:
        return f"**{self.title}**\n\n{markdown(self.columns, self.rows)}"

    def to_html(self) -> str:
        lines = [f"<table><caption>{html.escape(self.title)}</caption>"]
        lines.append(_html_row(self.columns, "th"))
        lines += [_html_row(row, "td") for row in self.rows]
        return "\n".join([*lines, "</table>"])


def _html_row(cells: list[str], tag: str) -> str:
    out = []
    for cell in cells:
        text = html.escape(cell.strip("*`"))
        for mark, inner in (("**", "b"), ("`", "code")):
            text = f"<{inner}>{text}</{inner}>" if cell.startswith(mark) else text
        out.append(f"<{tag}>{text}</{tag}>")
    return f"<tr>{''.join(out)}</tr>"


def means(results: Results, metric: Metric) -> Table:
    """Mean of a metric by codec and byte target; the best of each column is bold."""
    entries: list[tuple[str, list[Mean]]] = []
    for codec in results.codecs:
        ways: list[str | None] = [None]
        if results.full_size_differs(codec):
            ways.append(FULL_SIZE)
        for way in ways:
            name = label(codec) + (", full size" if way else "")
            cells = [results.mean(codec, metric, t, way) for t in results.targets]
            entries.append((name, cells))
    texts = [_mean_texts(cells, metric.digits) for _, cells in entries]
    for at in range(len(results.targets)):
        values = [cells[at].value for _, cells in entries]
        known = [round(v, metric.digits) for v in values if v is not None]
        best = (max if metric.higher else min)(known, default=None)  # as shown: no more digits
        for row, value in zip(texts, values, strict=True):
            if value is not None and round(value, metric.digits) == best:
                row[at] = f"**{row[at]}**"
    rows = [[name, *row] for (name, _), row in zip(entries, texts, strict=True)]
    title = f"{metric.label} ({'higher' if metric.higher else 'lower'} is better), mean"
    return Table(title, _byte_columns(results), rows)


def _mean_texts(cells: list[Mean], digits: int) -> list[str]:
    """A cell whose files are those of the cell before says so."""
    texts = [mean_text(cell, digits) for cell in cells]
    for at in range(len(cells) - 1, 0, -1):
        if cells[at].value is not None and cells[at] == cells[at - 1]:
            texts[at] = SAME
    return texts


def mean_text(cell: Mean, digits: int) -> str:
    """The mean, or how many of the pictures fit; a question mark where not all were measured."""
    if cell.value is not None:
        return _minus(f"{cell.value:.{digits}f}")
    if cell.tried < cell.images or cell.measured < cell.fits:
        return UNKNOWN
    return f"{NONE} {cell.fits}/{cell.images}" if cell.fits else NONE


def needed(results: Results, metric: Metric, ours: str) -> list[Table]:
    """Bytes that each codec needs for what `ours` has at each target, and the reverse."""
    name, columns = label(ours), _byte_columns(results)
    theirs, reverse = [], []
    for codec in (c for c in results.codecs if c != ours):
        cells = [bytes_needed(results, metric, codec, ours, t) for t in results.targets]
        theirs.append([label(codec), *(needed_text(c) for c in cells)])
        back: list[str] = []
        before: Needed | None = None
        for target in results.targets:
            cell = bytes_needed(results, metric, ours, codec, target)
            same = before is not None and before.reference_bytes is not None and cell == before
            back.append(SAME if same else needed_text(cell, own=True))
            before = cell
        reverse.append([label(codec), *back])
    what = metric.label.partition(",")[0]
    return [
        Table(f"Bytes needed for the {what} that {name} has at so many bytes", columns, theirs),
        Table(
            f"Bytes that {name} needs for the {what} that a codec has at so many bytes "
            "(in brackets: what that codec's file really takes)",
            columns,
            reverse,
        ),
    ]


def needed_text(cell: Needed, own: bool = False) -> str:
    """Median bytes; with the pictures it is known for, unless it is for all."""
    if cell.measured < cell.images:
        return UNKNOWN
    if cell.low is None or cell.high is None:
        return f"{NONE} {cell.fits}/{cell.images}" if cell.fits else NONE
    if f"{cell.low:.0f}" == f"{cell.high:.0f}":
        text = f"{cell.low:,.0f}"
    elif cell.low == 0 and math.isinf(cell.high):
        text = UNKNOWN
    elif math.isinf(cell.high):
        text = f">{cell.low:,.0f}"
    elif cell.low == 0:
        text = f"<{cell.high:,.0f}"
    else:
        text = f"{cell.low:,.0f}–{cell.high:,.0f}"
    if own and cell.reference_bytes is not None:
        text += f" ({cell.reference_bytes:,.0f})"
    some = 0 < cell.known < cell.images  # a bound alone: known for none
    return f"{text} {cell.known}/{cell.images}" if some else text


def bd_rates(results: Results, ours: str) -> Table:
    """BD-rate of `ours` against every other codec, a column a metric."""
    metrics = results.metrics()
    rows = [
        [label(codec), *(_bd_text(results, m, ours, codec) for m in metrics)]
        for codec in results.codecs
        if codec != ours
    ]
    title = f"BD-rate of {label(ours)} against each codec; negative: fewer bytes"
    return Table(title, ["", *(m.label.partition(",")[0] for m in metrics)], rows)


def _bd_text(results: Results, metric: Metric, ours: str, codec: str) -> str:
    cell = bd_rate(results, metric, ours, codec)
    if cell.percent is None:
        both = all(results.measured(c, metric) for c in (ours, codec))
        return NONE if both else UNKNOWN
    text = _minus(f"{cell.percent:+.0f} %")
    return text if cell.known == cell.images else f"{text} {cell.known}/{cell.images}"


def versions(results: Results) -> Table:
    rows = [[label(c), f"`{c}`", "; ".join(results.versions(c))] for c in results.codecs]
    return Table("What made the files", ["", "codec", "version"], rows)


def published_points() -> Table:
    """The published tokenizers, one line a point."""
    rows = []
    for p in published():
        shown = ((p.psnr, ".2f"), (p.lpips, "g"), (p.rfid, ".2f"))
        quality = ["" if v is None else format(v, form) for v, form in shown]
        rows.append(
            [p.name, str(p.tokens), f"{p.bits:g}", str(p.bytes), *quality, p.data, p.source]
        )
    columns = ["", "tokens", "bits", "bytes", "PSNR", "LPIPS", "rFID", "pictures", "source"]
    return Table("Published tokenizers", columns, rows)


def ours(results: Results) -> tuple[str, ...]:
    return tuple(c for c in results.codecs if is_ours(c))


def _byte_columns(results: Results) -> list[str]:
    return ["bytes", *(f"{t:,}" for t in results.targets)]


def _minus(text: str) -> str:
    return text.replace("-", "−")
