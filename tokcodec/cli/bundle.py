"""`tokcodec bundle`: streams of one model to one file, which keeps their names."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from tokcodec.cli import options
from tokcodec.cli.jobs import STANDARD, inputs, read
from tokcodec.errors import ArgumentError, ModelMismatchError, StreamError, UnknownModelError
from tokcodec.files import make_folder
from tokcodec.stream.bundle import Bundle
from tokcodec.stream.header import SUFFIX
from tokcodec.terminal import complain


def add_arguments(p: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec bundle`."""
    p.add_argument(
        "inputs",
        nargs="+",
        metavar="IN",
        help="streams of one model, folders of them, or - for stdin",
    )
    p.add_argument(
        "-o", "--out", type=options.name, required=True, metavar="FILE", help="the bundle (.tkb)"
    )
    p.add_argument("-f", "--force", action="store_true", help="overwrite what is there")
    options.add_model(p)


def run(args: argparse.Namespace) -> int:
    """Pack all, or none where one cannot be; 0 if that went well."""
    if args.out == STANDARD:
        raise ArgumentError("a bundle is a file that is read here and there: name it with -o")
    if Path(args.out).is_dir():
        raise ArgumentError(f"{args.out} is a folder: name a file (.tkb)")
    options.open_named(args)
    names = _named(list(inputs(args.inputs, {SUFFIX})))
    for source, _ in names:
        if Path(source).is_dir():
            read(source)  # which says why there is nothing in it
    source = ""

    def streams() -> Iterator[bytes]:
        nonlocal source
        for source, _ in names:
            yield read(source)

    make_folder(Path(args.out).parent)
    try:
        Bundle.write(args.out, streams(), [name for _, name in names], args.force)
    except (StreamError, ModelMismatchError, UnknownModelError) as e:
        complain(f"{source}: {e}")
        return 1
    return 0


def _named(found: list[tuple[str, Path | None]]) -> list[tuple[str, str]]:
    """Each input with its name in the bundle: its own, with the folders inside the one that was
    given; that of stdin is empty. A file that was named twice is there once.
    """
    names, taken = [], dict[str, str]()
    for source, root in found:
        path = Path(source)
        name = path.name if root is None else path.relative_to(root).as_posix()
        name = "" if source == STANDARD else name
        if any("\ud800" <= letter <= "\udfff" for letter in name):  # bytes that are no UTF-8
            raise ArgumentError(f"{source}: a name in a bundle is text that UTF-8 can hold")
        if name and name in taken:
            other = taken[name]
            if os.path.realpath(other) == os.path.realpath(source):
                continue
            raise ArgumentError(
                f"{other} and {source} would both be {name}: give the folder that they are in"
            )
        taken[name] = source
        names.append((source, name))
    return names
