"""`tokcodec unbundle`: a bundle to the streams that it holds, a file each."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tokcodec.cli import options
from tokcodec.errors import InputError, OutputExistsError, TokCodecError
from tokcodec.files import make_folder, write_atomically
from tokcodec.stream.bundle import Bundle
from tokcodec.stream.header import SUFFIX
from tokcodec.terminal import complain


def add_arguments(p: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec unbundle`."""
    p.add_argument("input", metavar="FILE", help="a bundle (.tkb)")
    p.add_argument(
        "-o", "--out", required=True, type=options.path, metavar="DIR", help="for the streams"
    )
    p.add_argument("-f", "--force", action="store_true", help="overwrite what is there")
    options.add_model(p)


def run(args: argparse.Namespace) -> int:
    """Write each stream under its name, or its number if it has none; 0 if that went well."""
    options.open_named(args)
    bundle = Bundle(args.input)
    named, failed, taken = set(bundle.names), 0, set[str]()
    for number in range(len(bundle)):
        try:
            inside = _inside(bundle.name(number) or _numbered(number, len(bundle), named))
            target = args.out / inside
            place = os.path.realpath(target)
            if place in taken:
                raise OutputExistsError(f"another stream of the bundle is called {inside}, too")
            stream = bundle[number]
            make_folder(target.parent)
            write_atomically(target, stream, args.force)
            taken.add(place)
        except TokCodecError as e:
            failed += 1
            complain(f"stream {number}: {e}")
    return 1 if failed else 0


def _numbered(number: int, count: int, named: set[str]) -> str:
    """A name for a stream that has none, and no other has."""
    name = f"{number:0{len(str(count - 1))}}"
    while {name, name + SUFFIX} & named:
        name += "_"
    return name


def _inside(name: str) -> Path:
    """Where a stream of that name lies below the folder.

    Raises:
        InputError: nowhere: anybody can write a name into a bundle.
    """
    found = Path(name)
    if found.anchor or ".." in found.parts or not found.name or "\0" in name:
        raise InputError(f"no file inside the folder can be called {name!r}")
    return found if found.suffix.lower() == SUFFIX else found.with_name(found.name + SUFFIX)
