"""Milliseconds from a chunk's arrival to the picture that shows it, for the first and each better
one.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import tokcodec
from benchmarks.pictures import SETS, pictures
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec.arriving import GROWTH, progressive
from tokcodec.errors import ArgumentError

OUT = Path(__file__).parent / "results" / "latency"
DECODERS = ("linear", "auto")
COLUMNS = (
    "picture", "width", "height", "decoder", "bytes", "chunk", "growth", "updates",
    "first_ms", "median_ms", "last_ms", "all_ms", "decode_ms",
)  # fmt: skip


def updates(stream: bytes, chunk: int, growth: float, decoder: str) -> list[float]:
    """Milliseconds for each picture, from when its last chunk was handed over."""
    handed = 0.0

    def source() -> Iterator[bytes]:
        nonlocal handed
        for at in range(0, len(stream), chunk):
            handed = time.perf_counter()
            yield stream[at : at + chunk]

    found = []
    for _ in progressive(source(), decoder=decoder, growth=growth, max_pixels=None):
        found.append(1e3 * (time.perf_counter() - handed))
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks latency`."""
    parser.add_argument("--images", default="scikit-image", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--decoders", nargs="+", default=list(DECODERS))
    parser.add_argument("--bytes", type=int, default=1024, help="of a stream (%(default)s)")
    parser.add_argument("--chunk", type=int, default=51, help="bytes (%(default)s)")
    parser.add_argument("--growth", type=float, default=GROWTH, help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="the best counts (%(default)s)")
    parser.add_argument("--out", type=Path, default=OUT)


def run(args: argparse.Namespace) -> int:
    """Measure, write the rows, print their means; 0."""
    if min(args.chunk, args.rounds) < 1:
        raise ArgumentError("--chunk and --rounds are at least 1")
    rows: list[list[Cell]] = []
    loaders = pictures(args.images)
    for decoder in args.decoders:
        for name, load in loaders.items():
            image = load()
            stream = tokcodec.encode(image, max_bytes=args.bytes, max_pixels=None)
            rows.append([name, *_measured(image, stream, decoder, args)])
    write_tsv(args.out / f"{Path(args.images).name}.tsv", COLUMNS, rows)
    at = COLUMNS.index("updates")
    means = [
        [decoder, *(np.mean([row[i] for row in rows if row[3] == decoder]).item()  # type: ignore[misc]
                    for i in range(at, len(COLUMNS)))]
        for decoder in args.decoders
    ]  # fmt: skip
    print(f"{len(loaders)} pictures, {args.bytes} bytes in chunks of {args.chunk}, growth "
          f"{args.growth}; means\n")  # fmt: skip
    print(markdown(("decoder", *COLUMNS[at:]), means))
    return 0


def _measured(
    image: Image.Image, stream: bytes, decoder: str, args: argparse.Namespace
) -> list[Cell]:
    """A row without its picture's name. What is loaded once is loaded before."""
    tokcodec.decode(stream, decoder=decoder, max_pixels=None)
    runs = [updates(stream, args.chunk, args.growth, decoder) for _ in range(args.rounds)]
    best = np.min(runs, 0)
    alone = []
    for _ in range(args.rounds):
        start = time.perf_counter()
        tokcodec.decode(stream, decoder=decoder, max_pixels=None)
        alone.append(1e3 * (time.perf_counter() - start))
    return [image.width, image.height, decoder, len(stream), args.chunk, args.growth, len(best),
            float(best[0]), float(np.median(best)), float(best[-1]), float(best.sum()),
            min(alone)]  # fmt: skip
