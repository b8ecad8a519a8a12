"""Arguments that several verbs take, and what their words stand for."""

from __future__ import annotations

import argparse
from pathlib import Path

import tokcodec
from tokcodec.cli.jobs import read
from tokcodec.codec import Codec
from tokcodec.errors import TokCodecError
from tokcodec.limits import MAX_PIXELS
from tokcodec.quality import AUTO
from tokcodec.register.checkpoints.sources import names_tokenizer
from tokcodec.register.codec import RegisterCodec


def add_files(p: argparse.ArgumentParser, help: str) -> None:
    """Inputs, and where their outputs go."""
    p.add_argument("inputs", nargs="+", metavar="IN", help=help)
    p.add_argument(
        "-o",
        "--out",
        type=name,
        metavar="OUT",
        help="file, folder (trees are recreated there), or - for stdout; default: beside IN",
    )
    p.add_argument("-f", "--force", action="store_true", help="overwrite what is there")


def add_limits(p: argparse.ArgumentParser, auto: bool = False) -> None:
    """How long a stream may be."""
    kind, help = (tokens, "tokens to keep, or auto") if auto else (int, "tokens to keep")
    p.add_argument("-b", "--budget", type=kind, help=help)
    p.add_argument("-m", "--max-bytes", type=int, help="bytes of the whole stream, at most")


def add_model(p: argparse.ArgumentParser) -> None:
    """The model of streams that are read."""
    p.add_argument(
        "--model", help="the streams' model, by name, file or folder; needed if it is not shipped"
    )
    add_prior(p)


def open_named(args: argparse.Namespace) -> Codec | RegisterCodec | None:
    """The model that was named, which all streams must be of; None: each stream names its own."""
    if args.model is None and args.prior is None:
        return None
    name = "default" if args.model is None else args.model
    device = getattr(args, "device", None) if name and names_tokenizer(name) else None
    return tokcodec.load(name, device=device, prior=args.prior)


def add_prior(p: argparse.ArgumentParser) -> None:
    """The prior that a register tokenizer was given."""
    p.add_argument("--prior", help="of a register tokenizer: file of train prior or register-prior")


def add_device(p: argparse.ArgumentParser, of: str = "of a network that torch runs") -> None:
    """Where a network works."""
    p.add_argument("--device", help=f"{of}: cpu (default) or cuda")


def add_reference(
    p: argparse.ArgumentParser, help: str = "a stream that the pictures resemble"
) -> None:
    """Earlier streams."""
    p.add_argument(
        "--reference",
        action="append",
        default=[],
        metavar="STREAM",
        help=f"{help}; again for each that comes after it in a chain",
    )


def references(paths: list[str]) -> list[bytes]:
    """Those streams, whose headers are sound: damage there is no picture's fault.

    Raises:
        InputError, StreamError, UnknownModelError: one cannot be read, or is no stream.
    """
    found = [read(path) for path in paths]
    for path, stream in zip(paths, found, strict=True):
        try:
            tokcodec.info(stream, count=False)
        except TokCodecError as e:
            raise type(e)(f"--reference {path}: {e}") from e
    return found


def reference(paths: list[str]) -> dict[str, list[bytes]]:
    """The option that hands over references, if there are any."""
    return {"reference": references(paths)} if paths else {}


def add_max_pixels(p: argparse.ArgumentParser, help: str = "refuse larger pictures") -> None:
    """What is too large."""
    p.add_argument(
        "--max-pixels",
        type=int,
        default=MAX_PIXELS,
        help=f"{help} (default %(default)s)",
    )


def name(text: str) -> str:
    """A name of a file or folder; an empty one, as of a variable that nobody has set, would stand
    for the folder one is in.
    """
    if not text:
        raise argparse.ArgumentTypeError("the name is empty")
    return text


def path(text: str) -> Path:
    """The same as a path."""
    return Path(name(text))


def tokens(text: str) -> int | str:
    """A number of tokens, or `AUTO`."""
    if text == AUTO:
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a number of tokens, or {AUTO}") from None


def colour(text: str) -> tuple[int, ...]:
    """R,G,B in 0..255."""
    try:
        found = tuple(int(v) for v in text.split(","))
    except ValueError:
        found = ()
    if len(found) != 3 or not all(0 <= v <= 255 for v in found):
        raise argparse.ArgumentTypeError("three numbers in 0..255, as in 255,255,255")
    return found


def size(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT."""
    try:
        width, height = (int(v) for v in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError("width and height, as in 320x240") from None
    return width, height
