"""The `tokcodec` command: one module for each of its verbs."""

from __future__ import annotations

import argparse
import codecs
import io
import os
import re
import sys
import warnings
from collections.abc import Callable
from difflib import get_close_matches
from typing import Protocol

import tokcodec
from tokcodec.cli import (
    bundle,
    cut,
    decode,
    demo,
    encode,
    export,
    info,
    models,
    quantize,
    receive,
    send,
    serve,
    unbundle,
)
from tokcodec.cli.train import (
    decoder,
    interpolate,
    model,
    prior,
    register,
    register_prior,
)
from tokcodec.errors import TokCodecError, TokCodecWarning
from tokcodec.terminal import complain


class Verb(Protocol):
    """A module that does one thing."""

    @property
    def add_arguments(self) -> Callable[[argparse.ArgumentParser], None]: ...
    @property
    def run(self) -> Callable[[argparse.Namespace], int]: ...


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 if all went well, 1 if anything failed, 2 for wrong usage."""
    args, unknown = _parser().parse_known_args(argv)
    if unknown:
        args.parser.error(_unknown(unknown, args.parser.format_help()))
    warnings.showwarning = lambda message, *_: complain(f"warning: {message}")
    warnings.simplefilter("always", TokCodecWarning)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files need not be UTF-8, nor need what stdout takes have all their letters.
        utf8 = codecs.lookup(sys.stdout.encoding).name == "utf-8"
        sys.stdout.reconfigure(errors="surrogateescape" if utf8 else "backslashreplace")
    try:
        code = args.run(args)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except TokCodecError as e:
        complain(str(e))
        return 1
    except BrokenPipeError:  # the reader of our output has gone: nothing left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as e:  # most are told where they happen; those of stdout name no file
        if e.filename is not None:
            complain(f"cannot use {e.filename}: {e.strerror or e}")
            return 1
        complain(f"cannot write to stdout: {e.strerror or e}")
        sys.stdout = None  # what it still holds cannot be written either
        return 1
    except KeyboardInterrupt:
        complain("interrupted")
        return 1


def _unknown(words: list[str], help: str) -> str:
    """What is said of words that no option or input takes."""
    said = f"unrecognized arguments: {' '.join(words)}"
    if not words[0].startswith("--"):
        return said
    known = sorted(set(re.findall(r"--([\w-]+)", help)))
    near = get_close_matches(words[0][2:].partition("=")[0].replace("_", "-"), known, 1, 0.7)
    return said + (f"; is --{near[0]} meant?" if near else "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tokcodec", description="Pictures as short lists of tokens: any prefix is a picture."
    )
    parser.add_argument("--version", action="version", version=f"tokcodec {tokcodec.__version__}")
    verbs = _Verbs(parser, "COMMAND")
    verbs.add("encode", encode, "pictures to streams (.tkc)")
    verbs.add("decode", decode, "streams, whole or cut, to pictures")
    verbs.add("cut", cut, "shorten streams without coding them again")
    verbs.add("info", info, "what streams say of themselves")
    verbs.add("bundle", bundle, "streams of one model to one file (.tkb)")
    verbs.add("unbundle", unbundle, "a bundle to its streams")

    train = verbs.group("train", "models and decoders from photographs of your own")
    train.add("decoder", decoder, "the network that draws the pyramid's streams")
    train.add("prior", prior, "the network that tells how likely digits are")
    train.add("register", register, "a register tokenizer: encoder and decoder")
    train.add("register-prior", register_prior, "tables of a register tokenizer's digits")
    train.add("model", model, "a model: the order of tokens and their tables")
    train.add("interpolate", interpolate, "two decoders to one between them")
    exports = verbs.group("export", "trained decoders to files of other programs")
    exports.add("decoder", export, "the network that draws the pyramid's streams")
    verbs.add("quantize", quantize, "networks to smaller files, in an MX format")

    verbs.add("send", send, "pictures over MQTT, Zenoh or UDP, or a camera's folder")
    verbs.add("receive", receive, "pictures from MQTT, Zenoh or UDP to files")
    verbs.add("serve", serve, "a folder of streams over HTTP, any range a picture")
    verbs.add("models", models, "the models at hand")
    verbs.add("demo", demo, "real photographs at a few bytes, beside JPEG and WebP")
    return parser


class _Verbs:
    """The words of which one must follow."""

    def __init__(self, parser: argparse.ArgumentParser, metavar: str) -> None:
        self._parsers = parser.add_subparsers(required=True, metavar=metavar)

    def add(self, name: str, verb: Verb, help: str) -> None:
        parser = self._parsers.add_parser(name, help=help)
        verb.add_arguments(parser)
        parser.set_defaults(run=verb.run, parser=parser)

    def group(self, name: str, help: str) -> _Verbs:
        return _Verbs(self._parsers.add_parser(name, help=help), "WHAT")
