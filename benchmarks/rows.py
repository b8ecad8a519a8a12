"""Measurements in, lines of tab-separated text out, and back: one row an image, codec, byte target
and way of choosing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from tokcodec import files
from tokcodec.errors import ArgumentError, InputError

CHOSEN_BY = PSNR, LPIPS, FULL_SIZE = ("PSNR", "LPIPS-Alex", "PSNR, full size")


class Row(NamedTuple):
    """One measurement. Where nothing fits the target, `bytes` and all that follows is None.

    Attributes:
        image: name of the picture in its set.
        codec: as in --codecs: "webp", "tokcodec:pyramid@linear".
        version: what made the file: "Pillow 13.0.0, libwebp 1.6.0".
        settings: enough to encode again ("scale=0.25 quality=17", see `settings_text`), or why
            there is no file ("nothing fits: smallest 283").
        target: bytes allowed.
        chosen_by: what made this file the best of those that fit, one of CHOSEN_BY.
        bytes: of the file, at most `target`.
        psnr: dB, over RGB. Metrics compare the decoded picture with the original at its size; one
            that was not measured is None.
        encode_ms, decode_ms: wall time of one run, as it came: no benchmark of speed.
    """

    image: str
    codec: str
    version: str
    settings: str
    target: int
    chosen_by: str
    bytes: int | None = None
    psnr: float | None = None
    ms_ssim: float | None = None
    lpips_alex: float | None = None
    lpips_vgg: float | None = None
    dists: float | None = None
    ssimulacra2: float | None = None
    encode_ms: float | None = None
    decode_ms: float | None = None

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What a row measures; no two rows of a set have the same."""
        return self.codec, self.image, self.target, self.chosen_by


TEXTS = ("image", "codec", "version", "settings", "chosen_by")
WHOLE = ("target", "bytes")
LOSSLESS = 100.0  # dB in the row of a picture without any error: an infinite mean says nothing


def is_ours(codec: str) -> bool:
    """Whether a codec's name is one of tokcodec's."""
    return codec.partition(":")[0] == "tokcodec"


def nothing_fits(smallest: int) -> str:
    """Settings of a row without a file; `smallest`: bytes of the smallest file at any scale."""
    return f"nothing fits: smallest {smallest}"


def finite(value: float | None) -> float | None:
    """A metric's value as rows have it: a picture without any error has LOSSLESS dB.

    >>> finite(math.inf), finite(30.5)
    (100.0, 30.5)
    """
    return value if value is None or math.isfinite(value) else LOSSLESS


def settings_text(settings: Mapping[str, str | int | float]) -> str:
    """Settings as in a row.

    >>> settings_text({"scale": 0.25, "quality": 17})
    'scale=0.25 quality=17'

    Raises:
        ArgumentError: a name or value is empty, or holds a space or an equal sign.
    """
    for key, value in settings.items():
        if not key or not str(value) or any(c.isspace() or c == "=" for c in f"{key}{value}"):
            raise ArgumentError(f"settings hold no spaces, equal signs or nothing: {key}={value}")
    return " ".join(f"{key}={value}" for key, value in settings.items())


def parse_settings(text: str) -> dict[str, str | int | float]:
    """The settings that `settings_text` wrote.

    >>> parse_settings("scale=0.25 quality=17 subsampling=4:2:0")
    {'scale': 0.25, 'quality': 17, 'subsampling': '4:2:0'}

    Raises:
        InputError: it is no list of name=value.
    """
    pairs = [item.partition("=") for item in text.split()]
    if any(not key or not value for key, _, value in pairs):
        raise InputError(f'no settings: "{text}" (wanted: name=value name=value)')
    return {key: _number(value) for key, _, value in pairs}


def _number(text: str) -> str | int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def read(path: str | Path) -> list[Row]:
    """The rows of a file.

    Raises:
        InputError: it cannot be read or holds something else; names file and line.
    """
    try:
        lines = files.read(path).decode().splitlines()
    except UnicodeDecodeError as e:
        raise InputError(f"cannot read {path}: {e}") from e
    if not lines or tuple(lines[0].split("\t")) != Row._fields:
        raise InputError(
            f"{path}, line 1: no rows of the benchmark; wanted: {' '.join(Row._fields)}"
        )
    rows: dict[tuple[str, str, int, str], Row] = {}
    for number, line in enumerate(lines[1:], start=2):
        try:
            row = _row(line)
            if row.key in rows:
                raise ValueError(f"a second row for {row.key}")
        except ValueError as e:
            raise InputError(f"{path}, line {number}: {e}") from None
        rows[row.key] = row
    return list(rows.values())


def _row(line: str) -> Row:
    cells = line.split("\t")
    if len(cells) != len(Row._fields):
        raise ValueError(f"{len(cells)} cells, wanted {len(Row._fields)}")
    values: dict[str, str | int | float | None] = {}
    for name, cell in zip(Row._fields, cells, strict=True):
        if name in TEXTS:
            values[name] = cell
            continue
        try:
            values[name] = None if not cell else int(cell) if name in WHOLE else float(cell)
        except ValueError:
            raise ValueError(f'{name} is no number: "{cell}"') from None
    row = Row(**values)  # type: ignore[arg-type]
    _check(row)
    return row


def _check(row: Row) -> None:
    """ValueError unless the row is one that can be compared with others."""
    if not row.image or not row.codec:
        raise ValueError("no image or no codec named")
    if row.chosen_by not in CHOSEN_BY:
        raise ValueError(f'chosen_by is one of {", ".join(CHOSEN_BY)}; not "{row.chosen_by}"')
    if row.target is None or row.target < 1:
        raise ValueError("no target")
    numbers = row[Row._fields.index("bytes") + 1 :]
    if row.bytes is None and any(v is not None for v in numbers):
        raise ValueError("measurements, but no bytes")
    if row.bytes is not None and not 1 <= row.bytes <= row.target:
        raise ValueError(f"{row.bytes} bytes for a target of {row.target}")
    if any(v is not None and v != v for v in numbers):
        raise ValueError("a measurement that is no number (nan)")


def write(path: str | Path, rows: Iterable[Row]) -> None:
    """Write rows, sorted by codec, image, target and way of choosing; the file is either whole or
    as it was before.

    Raises:
        ArgumentError: a row that `read` would refuse, or two of one key.
        OutputError: the file cannot be written.
    """
    sorted_rows = sorted(rows, key=lambda row: row.key)
    lines = ["\t".join(Row._fields)]
    for row, before in zip(sorted_rows, [None, *sorted_rows], strict=False):
        try:
            _check(row)
        except ValueError as e:
            raise ArgumentError(f"cannot write the row {row.key}: {e}") from None
        if before is not None and row.key == before.key:
            raise ArgumentError(f"two rows for {row.key}")
        cells = [_cell(value) for value in row]
        if any(cell.splitlines() not in ([], [cell]) or "\t" in cell for cell in cells):
            raise ArgumentError(f"a tab or a line break in the row {row.key}")
        if any(_strange(cell) for cell in cells):
            raise ArgumentError(f"a name that is no UTF-8 in the row {row.key}")
        lines.append("\t".join(cells))
    files.write_atomically(path, ("\n".join(lines) + "\n").encode(), overwrite=True)


def _strange(text: str) -> bool:
    """Whether a text holds what file systems have and text files have not: bytes of no UTF-8."""
    return any("\ud800" <= c <= "\udfff" for c in text)


def _cell(value: str | int | float | None) -> str:
    """Six digits are beyond what any of the metrics means, and keep a file's changes readable."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def read_folder(folder: str | Path) -> list[Row]:
    """The rows of all files (*.tsv) in a folder, by file name.

    Raises:
        InputError: no such folder, no such files, a broken one, or two that measure the same.
    """
    paths = sorted(Path(folder).glob("*.tsv"))
    if not paths:
        raise InputError(f"no rows (*.tsv) in {folder}")
    rows: dict[tuple[str, str, int, str], Row] = {}
    origin: dict[tuple[str, str, int, str], Path] = {}
    for path in paths:
        for row in read(path):
            if row.key in rows:
                raise InputError(f"{path} and {origin[row.key]} both have rows for {row.key}")
            rows[row.key], origin[row.key] = row, path
    return list(rows.values())
