"""Results, plots and pictures to one HTML page that needs nothing else."""

from __future__ import annotations

import base64
import html
import io
import sys

from PIL import Image
from tqdm import tqdm

from benchmarks.report import tables, words
from benchmarks.report.curves import Metric, Results
from benchmarks.report.remake import Tile, Workshop, view
from benchmarks.report.style import label

MAX_BYTES = 4_900_000
QUALITIES = (85, 75, 60, 45, 30)  # of the tiles, the first that keeps the page small enough
PictureRows = list[tuple[str, list[tuple[str, Tile]]]]  # by picture: what made a tile, the tile
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1180px; margin: 2em auto;
  padding: 0 1em; }
h1, h2, h3 { line-height: 1.2; }
h2 { margin-top: 2em; border-top: 1px solid #ddd; padding-top: 1em; }
table { border-collapse: collapse; margin: 1em 0; display: block; overflow-x: auto;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .3em 0; white-space: nowrap; }
th, td { padding: .2em .6em; text-align: right; white-space: nowrap;
  border-bottom: 1px solid #e4e4e4; }
th:first-child, td:first-child { text-align: left; }
tr:first-child th { border-bottom: 1px solid #888; }
.text th, .text td { text-align: left; white-space: normal; }
p.note { color: #555; font-size: 13px; max-width: 75em; }
img { max-width: 100%; height: auto; }
nav a { margin-right: 1em; }
.row { display: flex; gap: 8px; overflow-x: auto; padding-bottom: 8px; }
figure { margin: 0; flex: none; }
figure img { max-width: none; display: block; }
figcaption { font-size: 12px; color: #333; }
figcaption b { display: block; }
summary { font-weight: 600; cursor: pointer; }
"""


def page(
    results: Results,
    name: str,
    plots: dict[Metric, bytes],
    sheets: dict[str, bytes],
    rows: PictureRows,
    target: int,
) -> bytes:
    """The page as UTF-8: plots (SVG) by metric, tables, contact sheets (JPEG) by picture, and
    `rows`: a picture's name and its tiles by codec at `target` bytes, as `picture_rows` gives them.
    """
    head, tail = _head(results, name, plots, sheets), "</body></html>\n"
    for quality in QUALITIES:
        shown = _pictures(rows, target, quality)
        whole = (head + shown + tail).encode()
        if len(whole) <= MAX_BYTES:
            return whole
    return (head + "<p>Too many pictures for one page.</p>" + tail).encode()


def picture_rows(workshop: Workshop, target: int) -> PictureRows:
    """Each picture at hand: the original, then every codec at `target` bytes."""
    rows = []
    for name in tqdm(workshop.names(), disable=not sys.stderr.isatty(), unit="picture"):
        original = workshop.original(name)
        if original is not None:
            tiles = [("original", Tile("", view(original)))]
            codecs = workshop.results.codecs
            tiles += [(label(c), workshop.tile(c, name, target)) for c in codecs]
            rows.append((name, tiles))
    return rows


def _head(results: Results, name: str, plots: dict[Metric, bytes], sheets: dict[str, bytes]) -> str:
    title = f"tokcodec: bytes against fidelity on {html.escape(name)}"
    out = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
        f"<style>{STYLE}</style></head><body><h1>{title}</h1>",
        f"<p>{len(results.images)} pictures, {len(results.rows):,} rows.</p>",
        '<nav><a href="#plots">Plots</a><a href="#tables">Tables</a><a href="#sheets">Contact '
        'sheets</a><a href="#pictures">Every picture</a></nav>',
        '<h2 id="plots">Plots</h2>',
        _note(words.PLOT),
        _note(words.CHOICE),
    ]
    for metric, svg in plots.items():
        out.append(f"<h3>{html.escape(metric.label)}</h3>{_image(svg, 'image/svg+xml')}")
    out.append('<h2 id="tables">Tables</h2>')
    out += [_note(words.MEANS), *(tables.means(results, m).to_html() for m in results.metrics())]
    for codec in tables.ours(results):
        out.append(_note(words.BD_RATE) + tables.bd_rates(results, codec).to_html())
        out.append(_note(words.NEEDED))
        for metric in results.metrics():
            found = "".join(t.to_html() for t in tables.needed(results, metric, codec))
            summary = f"<summary>Bytes needed, by {html.escape(metric.label)}</summary>"
            first = " open" if metric == results.metrics()[0] else ""
            out.append(f"<details{first}>{summary}{found}</details>")
    for table, note in (
        (tables.versions(results), ""),
        (tables.published_points(), words.PUBLISHED),
    ):
        out.append(_note(note) + table.to_html().replace("<table>", '<table class="text">', 1))
    out.append('<h2 id="sheets">Contact sheets</h2>')
    out.append(_note(words.SHEET) if sheets else "<p>The pictures were not at hand.</p>")
    for image, data in sheets.items():
        out.append(f"<h3>{html.escape(image)}</h3>{_image(data, 'image/jpeg')}")
    return "\n".join(out)


def _pictures(rows: PictureRows, target: int, quality: int) -> str:
    out = [f'<h2 id="pictures">Every picture, at most {target:,} bytes</h2>']
    for name, tiles in rows:
        out.append(f'<h3>{html.escape(name)}</h3><div class="row">')
        missing = []
        for maker, tile in tiles:
            if tile.image is None:
                missing.append(f"{maker}: {tile.text}")
                continue
            text = f"<b>{html.escape(maker)}</b>{html.escape(tile.text)}"
            shown = _image(_jpeg(tile.image, quality), "image/jpeg")
            out.append(f"<figure>{shown}<figcaption>{text}</figcaption></figure>")
        out.append("</div>" + _note("; ".join(missing)))
    return "\n".join(out)


def _note(text: str) -> str:
    return f'<p class="note">{html.escape(text)}</p>' if text else ""


def _image(data: bytes, kind: str) -> str:
    return f'<img alt="" src="data:{kind};base64,{base64.b64encode(data).decode()}">'


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()
