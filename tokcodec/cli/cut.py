"""`tokcodec cut`: streams to shorter ones."""

from __future__ import annotations

import argparse

import tokcodec
from tokcodec.cli import options
from tokcodec.cli.jobs import SUFFIX, convert
from tokcodec.errors import ArgumentError


def add_arguments(p: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec cut`."""
    options.add_files(p, "streams, folders of them, or - for stdin")
    options.add_limits(p)
    options.add_model(p)


def run(args: argparse.Namespace) -> int:
    """Cut all; 0 if that went well."""
    if args.budget is None and args.max_bytes is None:
        raise ArgumentError("say what to cut to: --budget TOKENS or --max-bytes BYTES")
    verbs = options.open_named(args) or tokcodec
    return convert(
        args, lambda data, _: verbs.cut(data, args.budget, args.max_bytes), SUFFIX, {SUFFIX}
    )
