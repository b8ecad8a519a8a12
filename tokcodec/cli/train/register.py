"""`tokcodec train register`: a configuration and photographs to a register tokenizer's file."""

from __future__ import annotations

import argparse

from tokcodec.cli.train import options
from tokcodec.train.register.config import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec train register`."""
    options.add_arguments(parser, "tokenizer")


def run(args: argparse.Namespace) -> int:
    """Train and write OUT/register.safetensors; 0."""
    options.need_torch()
    from tokcodec.train.register.run import train_register

    options.say_result(train_register(**options.told(args, Config)))
    return 0
