"""`tokcodec cut`: streams to shorter ones."""

from __future__ import annotations

import argparse

import tokcodec
from tokcodec.cli import options
from tokcodec.cli.jobs import convert
from tokcodec.errors import ArgumentError
from tokcodec.stream import header as headers
from tokcodec.stream.header import SUFFIX


def add_arguments(p: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec cut`."""
    options.add_files(p, "streams, folders of them, or - for stdin")
    options.add_limits(p)
    options.add_model(p)
    options.add_max_pixels(p)


def run(args: argparse.Namespace) -> int:
    """Cut all; 0 if that went well."""
    if args.budget is None and args.max_bytes is None:
        raise ArgumentError("say what to cut to: --budget TOKENS or --max-bytes BYTES")
    verbs = options.open_named(args) or tokcodec

    def change(data: bytes, _: str) -> bytes:
        return verbs.cut(data, args.budget, args.max_bytes, max_pixels=args.max_pixels)

    return convert(args, change, SUFFIX, {SUFFIX}, headers.parse, in_place=True)
