"""One prior against another at equal tokens: bytes saved, and time for coding."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import tokcodec
from benchmarks.lists import listed, whole_numbers
from benchmarks.pictures import SETS, pictures, set_name
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec.codec import Codec

OUT = Path(__file__).parent / "results" / "prior"
BYTES = (64, 128, 256, 512, 1024, 2048)
TIMES = (  # pixels of a square photograph's side, bytes
    (256, 512),
    (1024, 4096),
    (3464, 20000),
)
REPEATS, SECONDS = 3, 4.0  # so often at least, and again for so long

Rows = list[list[Cell]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks prior`."""
    parser.add_argument("--images", default="scikit-image", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--model", default="pyramid-4", help="whose prior is measured")
    parser.add_argument("--against", default="pyramid-3", help="model with the same tokens")
    parser.add_argument("--bytes", default=listed(BYTES), help="default: %(default)s")
    parser.add_argument("--no-times", action="store_true", help="bytes only")
    parser.add_argument("--out", type=Path, default=OUT)


def run(args: argparse.Namespace) -> int:
    """Measure, write a TSV of bytes and one of times, and print the means; 0."""
    named = set_name(args.images, args.out, OUT)
    limits = whole_numbers(args.bytes, "bytes")
    model, against = tokcodec.load(args.model), tokcodec.load(args.against)
    images = {name: load() for name, load in pictures(args.images).items()}
    rows = [
        row for name, image in images.items() for row in _bytes(name, image, model, against, limits)
    ]
    columns = ("image", "tokens", "bytes_before", "bytes")
    model_name = Path(args.model).stem  # of a file's path
    write_tsv(args.out / f"{model_name}-{named}.tsv", columns, rows)
    print(markdown(("about, bytes", "saved, %"), _saved(rows, limits)))
    if not args.no_times:
        photograph = next(iter(images.values()))
        times = [_times(photograph, side, limit, model, against) for side, limit in TIMES]
        columns = ("side", "bytes", "encode_before", "encode", "read_before", "read")
        write_tsv(args.out / f"{model_name}-times.tsv", columns, times)
        print(markdown(columns, times))
    return 0


def _bytes(name: str, image: Image.Image, model: Codec, against: Codec, limits: list[int]) -> Rows:
    """Bytes of the code string by both, at the tokens that so many bytes hold by the first."""
    rows: Rows = []
    for limit in limits:
        tokens = against.info(against.encode(image, max_bytes=limit)).tokens
        sizes: list[Cell] = [
            len(codec.encode(image, budget=tokens, bare=True)) for codec in (against, model)
        ]
        rows.append([name, tokens, *sizes])
    return rows


def _saved(rows: Rows, limits: list[int]) -> Rows:
    """Percent saved, mean over pictures, by byte limit; the last row is the mean of all."""
    before, after = (np.array([r[i] for r in rows], float) for i in (2, 3))
    saved = 100 * (1 - after / before).reshape(-1, len(limits)).mean(0)
    table: Rows = [[n, float(s)] for n, s in zip(limits, saved, strict=True)]
    return [*table, ["all", float(saved.mean())]]


def _times(image: Image.Image, side: int, limit: int, model: Codec, against: Codec) -> list[Cell]:
    """Seconds to encode, and to read the tokens back: the best of several."""
    large = image.resize((side, side), Image.Resampling.LANCZOS)
    row: list[Cell] = [side, limit]
    streams = [codec.encode(large, max_bytes=limit) for codec in (against, model)]
    for do in (
        lambda codec, _: codec.encode(large, max_bytes=limit),
        lambda codec, stream: codec.unpack(stream),
    ):
        row += [_best(do, c, s) for c, s in zip((against, model), streams, strict=True)]
    return row


def _best(do: Callable[[Codec, bytes], object], codec: Codec, stream: bytes) -> float:
    found: list[float] = []
    while len(found) < REPEATS or sum(found) < SECONDS:
        start = time.perf_counter()
        do(codec, stream)
        found.append(time.perf_counter() - start)
    return min(found)
