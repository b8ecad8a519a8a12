"""`tokcodec info`: what streams say of themselves."""

from __future__ import annotations

import argparse
import json

import tokcodec
from tokcodec.cli import options
from tokcodec.cli.jobs import inputs, read
from tokcodec.errors import TokCodecError
from tokcodec.stream.header import SUFFIX
from tokcodec.terminal import complain, say


def add_arguments(p: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec info`."""
    p.add_argument(
        "inputs", nargs="+", metavar="IN", help="streams, folders of them, or - for stdin"
    )
    p.add_argument("--json", action="store_true", help="a line of JSON for each stream")
    p.add_argument(
        "--no-count", action="store_true", help="read the header only, and tell no tokens"
    )
    options.add_model(p)
    options.add_max_pixels(p)


def run(args: argparse.Namespace) -> int:
    """Say it; 0 if all have a sound header."""
    failed = 0
    verbs = options.open_named(args) or tokcodec
    for source, _ in inputs(args.inputs, {SUFFIX}):
        try:
            found = verbs.info(read(source), not args.no_count, max_pixels=args.max_pixels)
        except TokCodecError as e:
            failed += 1
            complain(f"{source}: {e}")
            continue
        if args.json:
            say(json.dumps({"file": source, **found.as_dict()}))
        else:
            say(f"{source}: {_line(found)}")
    return 1 if failed else 0


def _line(found: tokcodec.Info) -> str:
    counted = "" if found.tokens is None else f", {found.tokens} tokens ({found.digits} digits), "
    state = "" if found.complete is None else "complete" if found.complete else "a prefix"
    grey = ", grey" if found.grey else ""
    reference = f", reference {found.reference}" if found.reference else ""
    return (
        f"{found.width}x{found.height}{grey}, model {found.model} ({found.model_id[:8]}), "
        f"{found.bytes} bytes ({found.bits_per_pixel:.4f} bits per pixel)"
        f"{counted}{state}{reference}"
    )
