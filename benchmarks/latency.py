"""Milliseconds from a chunk's arrival to the picture that shows it, for the first and each better
one; on the clock, of the processor, and in parts of what a plain `decode` takes.

What else the machine does lengthens the first, hardly the second (of all threads), and cancels out
of the third: a decode follows every round.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import tokcodec
from benchmarks.pictures import SETS, pictures, set_name
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec.arriving import GROWTH, progressive
from tokcodec.errors import ArgumentError

OUT = Path(__file__).parent / "results" / "latency"
DECODERS = ("linear", "auto")
COLUMNS = (
    "picture", "width", "height", "decoder", "bytes", "chunk", "growth", "updates",
    "first_ms", "median_ms", "last_ms", "all_ms", "decode_ms",
    "first_cpu_ms", "median_cpu_ms", "last_cpu_ms", "all_cpu_ms", "decode_cpu_ms",
    "first_share", "median_share", "last_share", "all_share",
)  # fmt: skip


def updates(stream: bytes, chunk: int, growth: float, decoder: str) -> np.ndarray:
    """Milliseconds for each picture, from when its last chunk was handed over: float64 (2,
    pictures), of the clock and of the processor.
    """
    handed = _now()

    def source() -> Iterator[bytes]:
        nonlocal handed
        for at in range(0, len(stream), chunk):
            handed = _now()
            yield stream[at : at + chunk]

    found = []
    for _ in progressive(source(), decoder=decoder, growth=growth, max_pixels=None):
        found.append(_now() - handed)
    return np.transpose(found)


def _now() -> np.ndarray:
    return 1e3 * np.array([time.perf_counter(), time.process_time()])


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks latency`."""
    parser.add_argument("--images", default="scikit-image", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--decoders", nargs="+", default=list(DECODERS))
    parser.add_argument("--bytes", type=int, default=1024, help="of a stream (%(default)s)")
    parser.add_argument("--chunk", type=int, default=51, help="bytes (%(default)s)")
    parser.add_argument("--growth", type=float, default=GROWTH, help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="the median counts (%(default)s)")
    parser.add_argument("--out", type=Path, default=OUT)


def run(args: argparse.Namespace) -> int:
    """Measure, write the rows, print their means; 0."""
    named = set_name(args.images, args.out, OUT)
    if min(args.chunk, args.rounds) < 1:
        raise ArgumentError("--chunk and --rounds are at least 1")
    rows: list[list[Cell]] = []
    loaders = pictures(args.images)
    for decoder in args.decoders:
        for name, load in loaders.items():
            image = load()
            stream = tokcodec.encode(image, max_bytes=args.bytes, max_pixels=None)
            rows.append([name, *_measured(image, stream, decoder, args)])
    write_tsv(args.out / f"{named}.tsv", COLUMNS, rows)
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
    rounds = []
    for _ in range(args.rounds):
        taken = updates(stream, args.chunk, args.growth, decoder)
        start = _now()
        tokcodec.decode(stream, decoder=decoder, max_pixels=None)
        rounds.append(np.column_stack([
            taken[:, 0], np.median(taken, axis=1), taken[:, -1], taken.sum(1), _now() - start
        ]))  # fmt: skip
    found = np.array(rounds)  # rounds, clock and processor, columns of each
    shares = found[:, 0, :-1] / found[:, 0, -1:]
    wall, processor = np.median(found, 0)
    return [image.width, image.height, decoder, len(stream), args.chunk, args.growth,
            taken.shape[1], *wall.tolist(), *processor.tolist(),
            *np.median(shares, 0).tolist()]  # fmt: skip
