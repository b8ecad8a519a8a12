"""A register tokenizer in every MX format: which tokens stay the same, and what the pictures lose
where the receiver alone has the smaller file, and where both ends have.

Squares as its decoder draws them, without the detail that another network adds above.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

import tokcodec
from benchmarks.pictures import pictures
from benchmarks.tables import Cell, markdown
from tokcodec.errors import ArgumentError
from tokcodec.psnr import psnr
from tokcodec.register.codec import RegisterCodec
from tokcodec.register.model import RegisterModel
from tokcodec.register.square import SQUASH, enter
from tokcodec.train.register.tokenizer import lengths

COLUMNS = ("tokenizer", "format", "image", "tokens", "same_tokens", "psnr_receiver", "psnr_both")
SHOWN = 3  # the most tokens, half and a quarter of them

Rows = list[list[Cell]]


def rows(files: dict[str, Path], images: str) -> Iterator[list[Cell]]:
    """A row for each picture, format and number of tokens; the first file is the original."""
    codecs = {name: _loaded(path) for name, path in files.items()}
    first = next(iter(codecs.values())).model
    side, length = first.tokenizer.side, first.tokenizer.length
    for image, loaded in pictures(images).items():
        square = enter(np.asarray(loaded()), side, SQUASH)
        pixels = torch.from_numpy(square.copy()).movedim(-1, 0)[None].float() / 255
        original = first.tokenizer.ids(pixels)
        for form, codec in codecs.items():
            own = codec.model.tokenizer.ids(pixels)
            for count in lengths(length)[-SHOWN:]:
                same = (own == original)[:, :count].float().mean()
                drawn = [_drawn(codec.model, ids[:, :count]) for ids in (original, own)]
                yield [
                    first.id[:8], form, image, count, float(same),
                    *(psnr(picture, square) for picture in drawn),
                ]  # fmt: skip


def shown(found: Rows) -> str:
    """Means of the original, and of the others their differences to it."""
    counts = sorted({int(str(row[3])) for row in found})
    heads = ("same tokens", "PSNR, receiver", "PSNR, both")
    table: Rows = []
    for form in dict.fromkeys(str(row[1]) for row in found):
        line: list[Cell] = [form]
        for count in counts:
            same, *decibels = _means(found, form, count)
            base = _means(found, str(found[0][1]), count)[1:]
            line.append(f"{100 * same:.1f} %")
            if form == found[0][1]:
                line += [f"{v:.2f}" for v in decibels]
            else:
                line += [f"{v - b:+.3f}" for v, b in zip(decibels, base, strict=True)]
        table.append(line)
    return markdown(["format", *(f"{head}, {n}" for n in counts for head in heads)], table)


def _means(found: Rows, form: str, count: int) -> list[float]:
    chosen = [
        [float(str(v)) for v in row[4:]] for row in found if row[1] == form and row[3] == count
    ]
    return [float(v) for v in np.mean(chosen, 0)]


def _drawn(model: RegisterModel, ids: torch.Tensor) -> np.ndarray:
    """The square of tokens, int64 (1, k): uint8 (side, side, 3)."""
    pixels = model.tokenizer.pixels(ids)[0].movedim(0, -1)
    return (pixels * 255).round().byte().numpy()


def _loaded(path: Path) -> RegisterCodec:
    codec = tokcodec.load(path)
    if not isinstance(codec, RegisterCodec):
        raise ArgumentError(f"{path} is no register tokenizer")
    return codec
