"""The pictures that look worst, drawn by each of our decoders: one sheet, as a JPEG."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont

from benchmarks.report.curves import Results
from benchmarks.report.remake import Tile, Workshop, view
from benchmarks.report.sheets import GAP, HEAD, LINE, draw_tile, jpeg
from benchmarks.report.style import label
from benchmarks.rows import PSNR, is_ours

COUNT = 5
TARGET = 512  # bytes; the row nearest to it is shown


def choose_worst(results: Results) -> tuple[list[str], int]:
    """The pictures of highest LPIPS-Alex by the first of our codecs, worst first, and the byte
    target at which that is so; no pictures if it was not measured.
    """
    target = min(results.targets, key=lambda t: abs(t - TARGET))
    ours = [c for c in results.codecs if is_ours(c)]
    found: dict[str, float] = {}
    for name in results.images if ours else ():
        row = results.row(ours[0], name, target, PSNR)
        if row is not None and row.lpips_alex is not None:
            found[name] = row.lpips_alex
    return sorted(found, key=lambda name: (-found[name], name))[:COUNT], target


def worst(workshop: Workshop) -> bytes | None:
    """A row a picture: the original, and what our decoders draw of the same bytes. None if there is
    one decoder only, or the pictures are not at hand.
    """
    names, target = choose_worst(workshop.results)
    names = [name for name in names if name in workshop.names()]
    ours = [c for c in workshop.results.codecs if is_ours(c)]
    if len(ours) < 2 or not names:
        return None
    rows = []
    for name in names:
        original = workshop.original(name)
        if original is None:
            return None
        tiles = [workshop.tile(codec, name, target) for codec in ours]
        rows.append((name, [Tile("original", view(original)), *tiles]))
    return jpeg(_draw(rows, ["", *map(label, ours)]))


def _draw(rows: list[tuple[str, list[Tile]]], heads: list[str]) -> Image.Image:
    sizes = [_size(tiles) for _, tiles in rows]
    wide = max(width for width, _ in sizes) + GAP
    tops = [GAP + LINE]
    for _, height in sizes:
        tops.append(tops[-1] + height + LINE + GAP)
    page = Image.new("RGB", (HEAD + wide * len(heads), tops[-1]), "white")
    draw = ImageDraw.Draw(page)
    font, bold = ImageFont.load_default(12), ImageFont.load_default(14)
    for column, head in enumerate(heads):
        draw.text((HEAD + column * wide, GAP), head, "black", bold)
    for (name, tiles), top, size in zip(rows, tops, sizes, strict=False):
        for part, text in enumerate(name.split("_")):
            draw.text((GAP, top + LINE + part * LINE), text, "black", bold)
        for column, tile in enumerate(tiles):
            draw_tile(page, draw, (HEAD + column * wide, top), size, tile, font)
    return page


def _size(tiles: list[Tile]) -> tuple[int, int]:
    shown = [tile.image for tile in tiles if tile.image is not None]
    return max(i.width for i in shown), max(i.height for i in shown)
