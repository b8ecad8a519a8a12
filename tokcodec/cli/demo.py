"""`tokcodec demo`: what it does, shown."""

from __future__ import annotations

import argparse
from pathlib import Path

from tokcodec.cli.options import path
from tokcodec.terminal import say


def add_arguments(p: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec demo`."""
    p.add_argument(
        "-o",
        "--out",
        type=path,
        default=Path("demo"),
        metavar="DIR",
        help="where to write (default: demo)",
    )
    p.add_argument(
        "--bytes",
        type=int,
        nargs="+",
        default=[64, 128, 256, 512, 1024, 2048],
        help="sizes to show (default: 64 to 2048)",
    )
    p.add_argument("--side", type=int, default=256, help="pixels of the longer side (default 256)")


def run(args: argparse.Namespace) -> int:
    """Write the pictures, say what they show; 0."""
    from tokcodec.demo import demo

    say(demo(args.out, sorted(set(args.bytes)), args.side).removesuffix("\n"))
    return 0
