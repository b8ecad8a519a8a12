"""Photographs that come with scikit-image to streams, pictures and a contact sheet beside JPEG and
WebP.
"""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

import tokcodec
from tokcodec.errors import ArgumentError, InputError
from tokcodec.files import make_folder, write_atomically
from tokcodec.psnr import psnr
from tokcodec.terminal import watched

PHOTOGRAPHS = ("chelsea", "coffee", "astronaut", "rocket", "motorcycle_left")
# Settings to choose the best of; Pillow takes JPEG quality 0 for its default, so 1 is the lowest.
RIVALS: dict[str, list[dict[str, Any]]] = {
    "WebP": [{"method": 6}],
    "JPEG": [{"optimize": True}, {"optimize": True, "progressive": True}],
}
LOWEST = {"WebP": 0, "JPEG": 1}
SCALES = (1.0, 0.75, 0.5, 0.375, 0.25, 0.1875, 0.125, 0.0625)
GAP, LINE, LETTERS = 6, 20, 15  # pixels: between pictures, of a line above each, of its letters


def photographs(side: int) -> dict[str, Image.Image]:
    """The demonstration's photographs by name, RGB, longer side at most `side` pixels."""
    try:
        from skimage.data import data_dir
    except ImportError:
        raise InputError(
            "the demo's photographs come with scikit-image: pip install scikit-image"
        ) from None
    found = {}
    for name in PHOTOGRAPHS:
        path = next(p for p in Path(data_dir).iterdir() if p.stem == name)
        image = Image.open(path).convert("RGB")
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
        found[name] = Image.fromarray(np.asarray(image))  # no profile for rivals to carry
    return found


def rival(image: Image.Image, kind: str, max_bytes: int) -> tuple[Image.Image, int] | None:
    """The best picture (by PSNR) that a classical codec gets into `max_bytes`, scaled down first
    if that helps, and its bytes.
    """
    best: tuple[float, Image.Image, int] | None = None
    original = np.asarray(image)
    for scale, settings in itertools.product(SCALES, RIVALS[kind]):
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        data = _fitting(image.resize(size, Image.Resampling.LANCZOS), kind, settings, max_bytes)
        if data is None:
            continue
        decoded = Image.open(io.BytesIO(data)).convert("RGB")
        shown = decoded.resize(image.size, Image.Resampling.BICUBIC)
        score = psnr(np.asarray(shown), original)
        if best is None or score > best[0]:
            best = score, shown, len(data)
    return None if best is None else best[1:]


def _fitting(image: Image.Image, kind: str, settings: dict[str, Any], most: int) -> bytes | None:
    """The file of the highest quality that has at most `most` bytes."""
    low, high, found = LOWEST[kind], 100, None
    while low <= high:
        quality = (low + high) // 2
        out = io.BytesIO()
        image.save(out, kind, quality=quality, **settings)
        if out.tell() <= most:
            found, low = out.getvalue(), quality + 1
        else:
            high = quality - 1
    return found


def demo(out: Path, sizes: list[int], side: int = 256) -> str:
    """Write streams, decoded pictures and `sheet.png` under `out`; return the table of PSNR, as
    text.
    """
    if min(sizes) < 16 or side < 16:
        raise ArgumentError("the demo wants at least 16 bytes and 16 pixels")
    make_folder(out)
    rows: dict[str, list[list[float | None]]] = {name: [] for name in ("tokcodec", *RIVALS)}
    blocks = []
    for name, image in tqdm(photographs(side).items(), disable=not watched(), unit="photograph"):
        original = np.asarray(image)
        streams = [tokcodec.encode(image, max_bytes=n) for n in sizes]
        shown: dict[str, list[tuple[Image.Image, int] | None]] = {
            "tokcodec": [(tokcodec.decode(s), len(s)) for s in streams]
        }
        shown |= {kind: [rival(image, kind, n) for n in sizes] for kind in RIVALS}
        for n, stream, decoded in zip(sizes, streams, shown["tokcodec"], strict=True):
            write_atomically(out / f"{name}-{n}.tkc", stream, overwrite=True)
            if decoded is not None:
                write_atomically(out / f"{name}-{n}.png", _png(decoded[0]), overwrite=True)
        for kind, cells in shown.items():
            rows[kind].append(
                [None if c is None else psnr(np.asarray(c[0]), original) for c in cells]
            )
        blocks.append(_block(image, shown, rows, sizes))
        write_atomically(out / f"sheet-{name}.png", _png(blocks[-1]), overwrite=True)
    sheet = Image.new("RGB", (max(b.width for b in blocks), sum(b.height for b in blocks)), "white")
    top = 0
    for block in blocks:
        sheet.paste(block, (0, top))
        top += block.height
    write_atomically(out / "sheet.png", _png(sheet), overwrite=True)
    return _table(rows, sizes) + f"Streams, pictures and sheet.png are in {out}.\n"


def _table(rows: dict[str, list[list[float | None]]], sizes: list[int]) -> str:
    """Mean PSNR by codec and bytes; a dash where some photograph does not fit."""
    lines = ["PSNR in dB, mean of the photographs".ljust(36) + "".join(f"{n:>7} B" for n in sizes)]
    for kind, values in rows.items():
        label = kind if kind == "tokcodec" else f"{kind}, best of quality and scale"
        cells = []
        for column in zip(*values, strict=True):
            fits = [v for v in column if v is not None]
            cells.append(
                f"{sum(fits) / len(fits):>9.2f}" if len(fits) == len(column) else f"{'-':>9}"
            )
        lines.append(label.ljust(36) + "".join(cells))
    return "\n".join(lines) + "\n"


def _block(
    image: Image.Image,
    shown: dict[str, list[tuple[Image.Image, int] | None]],
    rows: dict[str, list[list[float | None]]],
    sizes: list[int],
) -> Image.Image:
    """One photograph: a row a codec, a column a size, the original first."""
    font = ImageFont.load_default(LETTERS)
    w, h = image.width + GAP, image.height + LINE + GAP
    block = Image.new("RGB", (GAP + w * (1 + len(sizes)), GAP + h * len(shown)), "white")
    draw = ImageDraw.Draw(block)
    block.paste(image, (GAP, GAP + LINE))
    draw.text((GAP, GAP), "original", "black", font)
    for row, (kind, cells) in enumerate(shown.items()):
        for column, (n, cell) in enumerate(zip(sizes, cells, strict=True), start=1):
            x, y = GAP + column * w, GAP + row * h
            if cell is None:
                draw.text((x, y), f"{kind}: nothing fits {n} bytes", "black", font)
                draw.rectangle(
                    (x, y + LINE, x + image.width - 1, y + LINE + image.height - 1), "gainsboro"
                )
                continue
            value = rows[kind][-1][column - 1]
            draw.text((x, y), f"{kind}  {cell[1]} B  {value:.1f} dB", "black", font)
            block.paste(cell[0], (x, y + LINE))
    return block


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()
