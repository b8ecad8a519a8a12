"""What others published about their tokenizers, from published.tsv: reference points, never to be
mixed with the rows of our own measurements.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tokcodec.errors import InputError

TABLE = Path(__file__).with_name("published.tsv")


class Published(NamedTuple):
    """One published point.

    Attributes:
        name: tokenizer and model.
        tokens, bits: tokens of a picture, bits of a token: no header, no entropy coding.
        bytes: tokens x bits / 8, rounded up.
        psnr: dB; lpips: of a network that the source seldom names; rfid: over the whole data set.
            None where the source has no such number.
        data: pictures measured on.
        source: who says so.
    """

    name: str
    tokens: int
    bits: float
    bytes: int
    psnr: float | None
    lpips: float | None
    rfid: float | None
    data: str
    source: str


def published(path: Path = TABLE) -> list[Published]:
    """The points in the order of the file.

    Raises:
        InputError: a broken line; names file and line.
    """
    lines = path.read_text("utf-8").splitlines()
    if not lines or tuple(lines[0].split("\t")) != Published._fields:
        raise InputError(f"{path}, line 1: wanted the columns {' '.join(Published._fields)}")
    points = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            points.append(_point(line.split("\t")))
        except ValueError as e:
            raise InputError(f"{path}, line {number}: {e}") from None
    return points


def _point(cells: list[str]) -> Published:
    if len(cells) != len(Published._fields):
        raise ValueError(f"{len(cells)} cells, wanted {len(Published._fields)}")
    name, tokens, bits, size, *quality, data, source = cells
    psnr, lpips, rfid = (float(v) if v else None for v in quality)
    point = Published(name, int(tokens), float(bits), int(size), psnr, lpips, rfid, data, source)
    if not -1e-9 < point.bytes - point.tokens * point.bits / 8 < 1:
        raise ValueError(f"{point.tokens} tokens of {point.bits} bits are not {point.bytes} bytes")
    if not (name and data and source):
        raise ValueError("no name, data set or source")
    return point
