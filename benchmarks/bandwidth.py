"""A set of pictures to what each costs on named radio links: seconds, joules and what is billed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

import tokcodec
from benchmarks.everyday import jpeg, webp
from benchmarks.links import LINKS, Link, cost
from benchmarks.lists import listed, whole_numbers
from benchmarks.pictures import pictures, set_name
from benchmarks.tables import markdown, write_tsv
from tokcodec.errors import TokCodecError
from tokcodec.psnr import psnr

OUT = Path(__file__).parent / "results" / "bandwidth"
MIN_BYTES = 9  # bytes of a stream that holds anything
BYTES = (24, 32, 51, 64, 128, 222, 340, 512, 1024)
RIVALS = (webp(0), jpeg(10), jpeg(75))
COLUMNS = (
    "codec", "version", "bytes", "psnr", "link", "frames", "seconds_on_air", "seconds",
    "seconds_sustained", "joules", "credits",
)  # fmt: skip
AT = {name: i for i, name in enumerate(COLUMNS)}


class File(NamedTuple):
    """One picture as one codec writes it: `psnr` in dB over RGB, of the linear decoder for ours."""

    codec: str
    version: str
    bytes: int
    psnr: float


def files(image: Image.Image, sizes: list[int]) -> list[File]:
    """A picture as tokcodec streams of at most `sizes` bytes, and as everyday files."""
    original = np.asarray(image)
    model = tokcodec.load().model
    version = f"tokcodec {tokcodec.__version__}, model {model.id[:8]}, linear"
    found = []
    largest = tokcodec.encode(image, max_bytes=max(sizes), max_pixels=None)
    for n in sizes:
        stream = tokcodec.cut(largest, max_bytes=n)
        shown = tokcodec.decode(stream, decoder="linear", max_pixels=None)
        score = psnr(np.asarray(shown), original)
        found.append(File(f"tokcodec {n}", version, len(stream), score))
    for rival in RIVALS:
        data = rival.encode(image)
        score = psnr(np.asarray(rival.decode(data)), original)
        found.append(File(rival.name, rival.version, len(data), score))
    return found


def on_links(found: list[list[File]], links: tuple[Link, ...] = LINKS) -> list[list]:
    """Rows of COLUMNS, a codec and link each: means over the pictures, each at its own bytes.

    Args:
        found: for each picture, its files in the same order of codecs.
    """
    rows = []
    for same in zip(*found, strict=True):
        size, score = np.mean([f.bytes for f in same]), np.mean([f.psnr for f in same])
        for link in links:
            costs = [cost(link, f.bytes) for f in same]
            means = [
                float(np.mean([getattr(c, name) for c in costs]))
                for name in ("frames", "air", "seconds", "period", "joules")
            ]
            credits = None if link.credit is None else float(np.mean([c.credits for c in costs]))
            head = [same[0].codec, same[0].version, float(size), float(score), link.name]
            rows.append([*head, *means, credits])
    return rows


def table(rows: list[list]) -> str:
    """Markdown: a line a codec, a column a link; seconds until a picture is there, and joules."""
    return _by_link(rows, lambda row: f"{_time(row[AT['seconds']])}, {_energy(row[AT['joules']])}")


def table_a_day(rows: list[list]) -> str:
    """Markdown: most pictures a day, one after the other, as far as the link allows."""
    return _by_link(rows, lambda row: f"{86400 / row[AT['seconds_sustained']]:,.0f}")


def _by_link(rows: list[list], cell: Callable[[list], str]) -> str:
    lines: dict[str, list] = {}
    for row in rows:
        codec, size, score = (row[AT[name]] for name in ("codec", "bytes", "psnr"))
        lines.setdefault(codec, [codec, f"{size:,.0f}", f"{score:.1f}"]).append(cell(row))
    links = list(dict.fromkeys(row[AT["link"]] for row in rows))
    return markdown(["", "bytes", "PSNR, dB", *links], list(lines.values()))


def sources(links: tuple[Link, ...] = LINKS) -> str:
    """Markdown: where the constants of each link are from, and what is assumed."""
    return markdown(["link", "sources", "assumed"], [[x.name, x.source, x.assumed] for x in links])


def _time(seconds: float) -> str:
    """
    >>> _time(0.0123), _time(2.79), _time(280), _time(9000)
    ('12.3 ms', '2.79 s', '4.67 min', '2.5 h')
    """
    for unit, size in (("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= (1 if unit == "s" else 2 * size):
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e3:.3g} ms"


def _energy(joules: float) -> str:
    for unit, size in (("J", 1.0), ("mJ", 1e-3)):
        if joules >= size:
            return f"{joules / size:.3g} {unit}"
    return f"{joules * 1e6:.3g} µJ"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks bandwidth`."""
    parser.add_argument(
        "--images", default="scikit-image", help="image set or folder (default: %(default)s)"
    )
    parser.add_argument(
        "--bytes",
        default=listed(BYTES),
        help="sizes of tokcodec streams (default: %(default)s)",
    )
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the rows")


def run(args: argparse.Namespace) -> int:
    """Measure, write the rows, print the tables; 1 if a picture could not be read."""
    named = set_name(args.images, args.out, OUT)
    sizes, found, failed = whole_numbers(args.bytes, "bytes", MIN_BYTES), [], 0
    loaders = pictures(args.images)
    for name, load in tqdm(loaders.items(), disable=not sys.stderr.isatty(), unit="picture"):
        try:
            found.append(files(load(), sizes))
        except (TokCodecError, OSError) as e:
            print(f"{name}: {e}", file=sys.stderr)
            failed += 1
    if found:
        rows = on_links(found)
        write_tsv(args.out / f"{named}.tsv", COLUMNS, rows)
        print(f"{len(found)} pictures of {args.images}; seconds until one is there, and joules\n")
        print(table(rows))
        print("Most pictures a day\n")
        print(table_a_day(rows))
        print(sources())
    return 1 if failed else 0
