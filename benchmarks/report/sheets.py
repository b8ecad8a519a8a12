"""A picture to its contact sheet: the original, then every codec at the same bytes, as a JPEG."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.report.compare import bytes_for
from benchmarks.report.curves import METRICS, Results
from benchmarks.report.remake import Tile, Workshop, view
from benchmarks.report.style import label
from benchmarks.rows import is_ours

TARGETS = (24, 64, 256, 1024, 4096)
COLUMNS = 4
GAP, LINE, HEAD = 6, 17, 108  # pixels: between tiles, of text, of the column of names
MAX_BYTES = 390_000
QUALITIES = (90, 85, 80, 75, 70, 60, 50, 40)


def choose_targets(results: Results, wanted: Sequence[int] = ()) -> tuple[int, ...]:
    """Byte targets to show: those wanted that were measured, else at most COLUMNS of the rows',
    the usual ones first.
    """
    found = [t for t in wanted or TARGETS if t in results.targets]
    if wanted or len(found) >= 2:
        return tuple(found[:COLUMNS] if not wanted else found)
    at = np.linspace(0, len(results.targets) - 1, COLUMNS).round().astype(int)
    return tuple(dict.fromkeys(results.targets[i] for i in at))


def choose_images(results: Results, names: Sequence[str]) -> list[str]:
    """The pictures on which tokcodec stands worst, in the middle and best against whatever else is
    best there, by the bytes that PSNR at its middle byte target costs the others.
    """
    ours = next((c for c in results.codecs if is_ours(c)), None)
    others = [c for c in results.codecs if c != ours]
    if ours is None or not others or len(names) <= 3:
        return list(names[:3])
    psnr, middle = METRICS[0], results.targets[len(results.targets) // 2]

    def lead(name: str) -> float:
        best = results.curve(ours, psnr, name).best(middle)
        if best is None:
            return 0.0
        bounds = [bytes_for(results.curve(c, psnr, name), best[1]) for c in others]
        return min(high if low == 0 else low for low, high in bounds) / best[0]

    ranked = sorted(names, key=lambda name: (lead(name), name))
    return [ranked[0], ranked[len(ranked) // 2], ranked[-1]]


def sheet(workshop: Workshop, name: str, targets: Sequence[int]) -> bytes | None:
    """One picture's contact sheet: a row a codec, a column a byte target. The original stands
    first, beside it the codecs that make one file whatever the target. None without the original.
    """
    original = workshop.original(name)
    if original is None:
        return None
    first: list[tuple[str, Tile]] = [("original", Tile(_size_text(original), view(original)))]
    lines: list[tuple[str, list[Tile]]] = []
    for codec in workshop.results.codecs:
        rows = [workshop.row(codec, name, t) for t in targets]
        sizes = [r.bytes for r in rows if r is not None and r.bytes is not None]
        if len(sizes) > 1 and len(set(sizes)) == 1:
            first.append((label(codec), workshop.tile(codec, name, targets[-1])))
        elif sizes:
            lines.append((label(codec), _line(workshop, codec, name, targets)))
    return jpeg(_draw(first, lines, targets, view(original).size))


def _line(workshop: Workshop, codec: str, name: str, targets: Sequence[int]) -> list[Tile]:
    """Tiles of a codec; a file that is the one of the target before is not shown again."""
    tiles: list[Tile] = []
    before = None
    for target in targets:
        row = workshop.row(codec, name, target)
        made = None if row is None or row.bytes is None else (row.bytes, row.settings)
        same = made is not None and made == before
        tiles.append(Tile("the same file") if same else workshop.tile(codec, name, target))
        before = made
    return tiles


def _size_text(image: Image.Image) -> str:
    shown = view(image).size
    whole = f"{image.width}x{image.height}"
    return whole if shown == image.size else f"middle {shown[0]}x{shown[1]} of {whole}"


def _draw(
    first: list[tuple[str, Tile]],
    lines: list[tuple[str, list[Tile]]],
    targets: Sequence[int],
    size: tuple[int, int],
) -> Image.Image:
    w, h = size[0] + GAP, size[1] + LINE + GAP
    columns = max(len(first), len(targets))
    page = Image.new("RGB", (HEAD + w * columns, LINE + GAP + h * (1 + len(lines))), "white")
    draw = ImageDraw.Draw(page)
    font, bold = ImageFont.load_default(12), ImageFont.load_default(14)
    for column, (name, tile) in enumerate(first):
        at = HEAD + column * w, GAP
        draw_tile(page, draw, at, size, tile._replace(text=f"{name}  {tile.text}"), font)
    for column, target in enumerate(targets):
        draw.text((HEAD + column * w, GAP + h), f"at most {target:,} bytes", "black", bold)
    for number, (name, tiles) in enumerate(lines):
        top = GAP + h + LINE + GAP + number * h
        for part, text in enumerate(name.replace(", ", " ").split(" ")):
            draw.text((GAP, top + LINE + part * LINE), text, "black", bold)
        for column, tile in enumerate(tiles):
            draw_tile(page, draw, (HEAD + column * w, top), size, tile, font)
    return page


def draw_tile(
    page: Image.Image,
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    size: tuple[int, int],
    tile: Tile,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """A tile of `size`, its text above it."""
    x, y = at
    draw.text((x, y), tile.text, "black" if tile.image else "dimgray", font)
    if tile.image is not None:
        page.paste(tile.image, (x, y + LINE))
    else:
        draw.rectangle((x, y + LINE, x + size[0] - 1, y + LINE + size[1] - 1), "whitesmoke")


def jpeg(image: Image.Image) -> bytes:
    """The best quality that stays under MAX_BYTES; tiles are in no grid of 8, so full chroma."""
    data = b""
    for quality in QUALITIES:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, optimize=True, progressive=True, subsampling=0)
        data = out.getvalue()
        if len(data) <= MAX_BYTES:
            break
    return data
