"""`tokcodec quantize`: a decoder or another file of weights to a smaller one in an MX format."""

from __future__ import annotations

import argparse
from pathlib import Path

from tokcodec import decoders
from tokcodec.errors import ArgumentError
from tokcodec.files import whether, write_atomically
from tokcodec.mx import formats
from tokcodec.mx.file import quantised
from tokcodec.register import shipped as tokenizers
from tokcodec.terminal import say

SHIPPED = "pyramid-decoder"
SUFFIX = ".safetensors"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec quantize`."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        help=f"a file of weights (.safetensors), or {SHIPPED}: the shipped decoder",
    )
    parser.add_argument(
        "--format", required=True, metavar="FORMAT", help=f"one of {', '.join(formats.FORMATS)}"
    )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="file to write (.safetensors)",
    )
    parser.add_argument(
        "--keep",
        action="append",
        default=[],
        metavar="PATTERN",
        help="names of weights that stay in half precision, as in 'out.*'; may be said again",
    )
    parser.add_argument("-f", "--force", action="store_true", help="overwrite what is there")


def run(args: argparse.Namespace) -> int:
    """Write the file, and say how large it is; 0."""
    form = formats.find(args.format)
    named = {SHIPPED: decoders.SHIPPED} | {n: tokenizers.weights_of(n) for n in tokenizers.CODES}
    path = named.get(args.model, Path(args.model))
    if args.out.suffix != SUFFIX:  # it is how others tell what a file is
        raise ArgumentError(f"the name of the file to write ends in {SUFFIX}: {args.out} does not")
    if whether(lambda: args.out.samefile(path), False):
        raise ArgumentError(f"{args.out} is the network itself, which would be lost: name another")
    data, before = quantised(path, form, args.keep), path.stat().st_size
    write_atomically(args.out, data, args.force)
    say(f"{args.out}: {form.name}, {len(data):,} bytes, {len(data) / before:.0%} of {before:,}")
    return 0
