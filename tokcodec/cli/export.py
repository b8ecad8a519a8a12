"""`tokcodec export decoder`: a trained decoder to a file that other programs run."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from tokcodec import decoders
from tokcodec.decoders import stored
from tokcodec.decoders.trained import ONNX_SUFFIX
from tokcodec.errors import ArgumentError
from tokcodec.files import write_atomically


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec export decoder`."""
    parser.add_argument(
        "--onnx", type=Path, required=True, metavar="FILE", help="where to write the ONNX model"
    )
    parser.add_argument(
        "--decoder", type=Path, help="a trained decoder's file (default: the shipped one)"
    )
    parser.add_argument("-f", "--force", action="store_true", help="overwrite what is there")


def run(args: argparse.Namespace) -> int:
    """Write the file; 0."""
    if find_spec("onnx") is None:
        raise ArgumentError("writing ONNX needs onnx: pip install 'tokcodec[onnx]'")
    if args.onnx.suffix != ONNX_SUFFIX:  # it is how others tell what a file is
        raise ArgumentError(f"the name of the file to write ends in {ONNX_SUFFIX}: {args.onnx}")
    if args.decoder is None and not decoders.SHIPPED.exists():
        raise ArgumentError("the shipped decoder is missing: say which, --decoder FILE.safetensors")
    from tokcodec.decoders.onnx_file import to_bytes

    kept = stored.read(args.decoder or decoders.SHIPPED)
    write_atomically(args.onnx, to_bytes(kept), args.force)
    return 0
