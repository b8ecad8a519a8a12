"""Codecs on pictures unlike photographs: what the second loses to the first, in dB."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from benchmarks.codecs import find
from benchmarks.pictures import SETS, pictures, set_name
from benchmarks.search import best
from benchmarks.tables import Cell, markdown, write_tsv
from benchmarks.unlikely import unlikely
from tokcodec.psnr import psnr
from tokcodec.registry import DEFAULT

OUT = Path(__file__).parent / "results" / "robust"
CODECS = (f"tokcodec:{DEFAULT}@linear", f"tokcodec:{DEFAULT}@realism=0")
RATES = (0.02, 0.06, 0.125, 0.25, 1.0)  # bits a pixel
MIN_BYTES = 16  # bytes
COLUMNS = ("picture", "bits_per_pixel", "codec", "version", "bytes", "psnr")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks robust`."""
    parser.add_argument("--images", default="scikit-image", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--codecs", nargs=2, default=list(CODECS), metavar="CODEC")
    parser.add_argument("--rates", type=float, nargs="+", default=list(RATES), help="bits a pixel")
    parser.add_argument("--out", type=Path, default=OUT)


def run(args: argparse.Namespace) -> int:
    """Measure, write a TSV, and print what the second codec gains, worst picture first; 0."""
    named = set_name(args.images, args.out, OUT)
    codecs = [find(name) for name in args.codecs]
    rows: list[list[Cell]] = []
    gains: dict[str, list[float]] = {}
    for name, image in unlikely([load() for load in pictures(args.images).values()]).items():
        for rate in args.rates:
            limit = max(MIN_BYTES, round(rate * image.width * image.height / 8))
            found = []
            for codec in codecs:
                picked = best(codec, image, limit, psnr, full_size=True)
                found.append(math.nan if picked is None else picked.score)
                size = None if picked is None else len(picked.data)
                rows.append([name, rate, codec.name, codec.version, size, found[-1]])
            # Two perfect pictures are alike.
            gain = 0.0 if found[0] == found[1] else found[1] - found[0]
            gains.setdefault(name, []).append(gain)
    write_tsv(args.out / f"{named}.tsv", COLUMNS, rows)
    worst = sorted(gains, key=lambda name: min(gains[name]))
    print(f"{args.codecs[1]} over {args.codecs[0]}, dB\n")
    print(markdown(("bits a pixel", *args.rates), [[name, *gains[name]] for name in worst]))
    return 0
