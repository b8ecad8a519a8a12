"""`tokcodec train interpolate`: two decoders, one trained from the other, to one between them."""

from __future__ import annotations

import argparse
from pathlib import Path

from tokcodec.errors import ArgumentError
from tokcodec.files import check_free, make_folder

SUFFIX = ".safetensors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec train interpolate`."""
    parser.add_argument("decoders", nargs=2, type=Path, help="two decoders (.safetensors)")
    parser.add_argument(
        "--share", type=float, default=0.5, help="of the second, 0..1 (default %(default)s)"
    )
    parser.add_argument("--out", type=Path, required=True, help="decoder to write (.safetensors)")


def run(args: argparse.Namespace) -> int:
    """Read, mix and write; 0."""
    from tokcodec.decoders import stored
    from tokcodec.train.interpolate import between

    if args.out.suffix != SUFFIX:  # it is how others tell what a file is
        raise ArgumentError(f"a decoder is read again from a file *{SUFFIX}, not {args.out}")
    check_free(args.out)
    one, two = (stored.read(path) for path in args.decoders)
    make_folder(args.out.parent)
    stored.write(args.out, between(one, two, args.share), overwrite=False)
    return 0
