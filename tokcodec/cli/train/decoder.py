"""`tokcodec train decoder`: a configuration and photographs to a decoder's file."""

from __future__ import annotations

import argparse

from tokcodec.cli.train import options
from tokcodec.train.decoder.config import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec train decoder`."""
    options.add_arguments(parser, "decoder")


def run(args: argparse.Namespace) -> int:
    """Train and write OUT/decoder.safetensors; 0."""
    options.need_torch()
    from tokcodec.train.decoder.run import train_decoder

    options.say_result(train_decoder(**options.told(args, Config)))
    return 0
