"""Files, folders and stdin to files, folders and stdout, through any function of bytes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from tqdm import tqdm

from tokcodec import files
from tokcodec.errors import (
    ArgumentError,
    InputError,
    OutputError,
    OutputExistsError,
    TokCodecError,
)
from tokcodec.files import make_folder, whether, write_atomically
from tokcodec.pixels.image import suffixes
from tokcodec.stream.header import SUFFIX
from tokcodec.terminal import complain, watched

STANDARD = "-"  # stdin or stdout


def convert(
    args: argparse.Namespace,
    change: Callable[[bytes, str], bytes],
    suffix: str,
    kinds: set[str],
    look: Callable[[bytes], object],
    *,
    in_place: bool = False,
) -> int:
    """Each input through `change` to its output; go on after a failure, and report it.

    Args:
        change: an input's bytes, and where its output goes, to the output's bytes.
        suffix: of outputs that are not named.
        kinds: suffixes of what is taken from folders.
        look: raises for bytes that are no input: told before anything that is wrong with OUT.
        in_place: an output may replace its own input, where that is asked for; else never, which
            would be lost.

    Raises:
        ArgumentError: several results would go to stdout, or into a folder named like a file.
    """
    _check_folder(args)
    _check_named(args, suffix, kinds)
    jobs = _distinct(
        [
            (source, _target(source, root, args, suffix))
            for source, root in inputs(args.inputs, kinds)
        ]
    )
    failed, taken = 0, dict[str, str]()  # by target: the source that it is for
    for source, target in tqdm(jobs, disable=len(jobs) < 2 or not watched(), unit="file"):
        try:
            if (other := taken.setdefault(_place(target), source)) != source:
                raise OutputExistsError(f"{target} is for {other}: give them names of their own")
            data = read(source)
            look(data)
            _check_kind(target, suffix)
            _check(source, target, args.force, in_place)
            _write(target, change(data, target), args.force)
        except TokCodecError as e:
            failed += 1
            told = _said(source) in str(e) or (target != STANDARD and target in str(e))
            complain(str(e) if told and len(jobs) == 1 else f"{_said(source)}: {e}")
    return 1 if failed else 0


def _check_folder(args: argparse.Namespace) -> None:
    """Refuse to make a folder where a file was meant: several inputs, and a file's name for -o."""
    named = args.out not in (None, STANDARD) and not _is_folder(args.out)
    several = len(args.inputs) > 1 or any(whether(Path(p).is_dir, False) for p in args.inputs if p)
    if named and several and Path(args.out).suffix.lower() in {SUFFIX, *suffixes()}:
        raise ArgumentError(
            f"{args.out} is the name of one file, and there may be several results: name a folder "
            f"({args.out}{os.sep} if it is to be called so)"
        )


def _check_named(args: argparse.Namespace, suffix: str, kinds: set[str]) -> None:
    """Refuse the name of a result where a second input stands, as other commands take it."""
    if args.out is not None or len(args.inputs) != 2:
        return
    second = args.inputs[1]
    written = {SUFFIX} if suffix == SUFFIX else suffixes() - {SUFFIX}
    taken = Path(second).suffix.lower() in kinds and whether(Path(second).exists, True)
    taken = taken or whether(Path(second).is_dir, False)
    if Path(second).suffix.lower() in written and not taken:
        raise ArgumentError(f"{second} is no input; to give the result that name: -o {second}")


def _distinct(jobs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Sources and targets, those that were named twice once; ArgumentError where results would meet
    on stdout.
    """
    if sum(target == STANDARD for _, target in jobs) > 1:
        raise ArgumentError(
            "several results on stdout could not be told apart; give a folder to -o, or one input "
            "at a time"
        )
    found: dict[tuple[str, str], tuple[str, str]] = {}
    for source, target in jobs:
        found.setdefault((_place(source), _place(target)), (source, target))
    return list(found.values())


def _place(name: str) -> str:
    """The same for all names of a file."""
    return name if name == STANDARD else os.path.realpath(name)


def _said(source: str) -> str:
    return "stdin" if source == STANDARD else source


def inputs(paths: list[str], kinds: set[str]) -> Iterator[tuple[str, Path | None]]:
    """Files to work on, each with the folder it was found under, if any."""
    for path in paths:
        if not path:
            raise InputError("the name of an input is empty")
        folder = Path(path)
        if path != STANDARD and whether(folder.is_dir, False):
            closed: list[OSError] = []
            found = [
                p
                for inside, _, names in os.walk(folder, onerror=closed.append)
                for p in (Path(inside, name) for name in names)
                if p.suffix.lower() in kinds and whether(p.is_file, True)
            ]
            yield from ((str(p), folder) for p in sorted(found))
            # Empty and closed folders come as inputs, too, so that they are told of as failures.
            if not found and not closed:
                yield path, None
            yield from ((e.filename, Path(e.filename).parent) for e in closed)
        else:
            yield path, None


def read(source: str) -> bytes:
    """A file's bytes, or stdin's."""
    if source != STANDARD:
        if whether(Path(source).is_dir, False):
            if os.access(source, os.R_OK | os.X_OK):
                raise InputError(f"the folder {source} holds no file to work on")
            raise InputError(f"cannot look into the folder {source}")
        return files.read(source)
    if sys.stdin is None:
        raise InputError("cannot read stdin: it is closed")
    try:
        return sys.stdin.buffer.read()
    except OSError as e:
        raise InputError(f"cannot read stdin: {e.strerror or e}") from e


def _check_kind(target: str, suffix: str) -> None:
    """Refuse a picture's name for a stream: it may be that of the only copy."""
    if suffix == SUFFIX and Path(target).suffix.lower() in suffixes() - {SUFFIX}:
        better = Path(target).with_suffix(SUFFIX)
        raise OutputError(f"{target} is the name of a picture: name the stream {better}")


def _check(source: str, target: str, overwrite: bool, in_place: bool) -> None:
    """Refuse to replace a file before any work is done for it."""
    if target == STANDARD or (overwrite and in_place):
        return
    try:
        if not Path(target).exists():
            return
        known = source != STANDARD and whether(Path(source).exists, False)
        itself = known and Path(target).samefile(source)
    except OSError as e:
        raise OutputError(f"cannot write {target}: {e.strerror or e}") from e
    if itself:
        way = ", or shorten it in its place with -f" if in_place else ""
        raise OutputExistsError(f"{target} is the input itself: name another file with -o{way}")
    if not overwrite:
        raise OutputExistsError(f"{target} exists already; -f replaces it")


def _write(target: str, data: bytes, overwrite: bool) -> None:
    if target == STANDARD:
        if sys.stdout is None:
            raise OutputError("cannot write to stdout: it is closed")
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    make_folder(Path(target).parent)
    write_atomically(target, data, overwrite)


def _is_folder(name: str) -> bool:
    """Whether it is one, or is said to be one."""
    return name.endswith((os.sep, os.altsep or os.sep)) or whether(Path(name).is_dir, False)


def _target(source: str, root: Path | None, args: argparse.Namespace, suffix: str) -> str:
    """Where the result of `source` goes."""
    if args.out == STANDARD or (args.out is None and source == STANDARD):
        return STANDARD
    if args.out is None:
        return str(Path(source).with_suffix(suffix))
    into_folder = root is not None or len(args.inputs) > 1 or _is_folder(args.out)
    if not into_folder:
        return args.out
    if source == STANDARD:
        raise ArgumentError(
            f"what comes from stdin has no name to be filed under in the folder {args.out}; name "
            "a file with -o, or - for stdout"
        )
    inside = Path(source).relative_to(root) if root is not None else Path(Path(source).name)
    return str(Path(args.out) / inside.with_suffix(suffix))
