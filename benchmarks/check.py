"""Rows in, those that come out otherwise when their files are made and decoded anew out
(`python -m benchmarks check`).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.codecs import Codec, find, parse_settings
from benchmarks.pictures import SETS, SUMS, check_same, pictures
from benchmarks.rd import RESULTS
from benchmarks.rows import FULL_SIZE, Row, finite, is_ours, nothing_fits, read_folder
from benchmarks.workers import in_parallel
from tokcodec.errors import ArgumentError, InputError, TokCodecError
from tokcodec.psnr import psnr

PICTURES = 4  # of a set: enough to notice another model, decoder or library
TOLERANCE = 0.001  # dB: torch and ONNX Runtime, or two processors, are 0.0001 apart at most


class Job(NamedTuple):
    """One codec's rows of one picture."""

    codec: str
    images: str
    image: str
    rows: tuple[Row, ...]
    tolerance: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks check`."""
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=RESULTS / SETS[0],
        help="folder of rows (*.tsv), as `rd` writes it (default: %(default)s)",
    )
    parser.add_argument(
        "--images", help="set or folder that the rows were measured on (default: the folder's name)"
    )
    parser.add_argument(
        "--codecs", help="whose rows: names as in them, with commas, or all (default: tokcodec's)"
    )
    parser.add_argument(
        "--pictures",
        type=int,
        default=PICTURES,
        help="how many, evenly over the set; 0: every one (default: %(default)s)",
    )
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help="dB of PSNR (default: %(default)s)"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)


def run(args: argparse.Namespace) -> int:
    """Print the rows that come out otherwise, and a line for each codec: bytes have to be equal,
    PSNR within the tolerance. 0 if all are the same, 1 if any differs or cannot be made here.

    Raises:
        InputError: no rows or broken ones, or the pictures are not at hand or are others.
        ArgumentError: no such pictures, no rows of a codec, or numbers below 0.
    """
    if args.pictures < 0 or not args.tolerance >= 0:
        raise ArgumentError("--pictures and --tolerance take numbers from 0")
    rows = read_folder(args.folder)
    wanted = _wanted(rows, args.codecs)
    images = args.images or args.folder.resolve().name
    there, measured = pictures(images), {r.image for r in rows if r.codec in wanted}
    names = _spread(sorted(measured & there.keys()), args.pictures)
    if not names:
        raise InputError(f"{images} holds none of the pictures of the rows in {args.folder}")
    check_same(images, args.folder / SUMS, remember=False)
    codecs, failures = _at_hand(wanted)
    jobs = [
        Job(codec, images, name, own, args.tolerance)
        for name in names
        for codec in codecs
        if (own := tuple(r for r in rows if (r.codec, r.image) == (codec, name)))
    ]
    checked, differing = dict.fromkeys(codecs, 0), dict.fromkeys(codecs, 0)
    for job, found in in_parallel(work, jobs, args.workers):
        if isinstance(found, str):
            failures.append(f"{job.image}, {job.codec}: {found}")
            continue
        checked[job.codec] += len(job.rows)
        differing[job.codec] += len(found)
        print("".join(f"{line}\n" for line in found), end="")
    for codec, made_here in codecs.items():
        same = checked[codec] - differing[codec]
        print(f"{codec}: {same} of {checked[codec]} rows the same{_other(rows, made_here)}")
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    print(f"{args.folder}: {len(names)} of {len(measured)} pictures ({', '.join(names)})")
    return 1 if failures or any(differing.values()) else 0


def _wanted(rows: Sequence[Row], text: str | None) -> list[str]:
    """The codecs whose rows are checked."""
    there = sorted({r.codec for r in rows})
    if text == "all":
        return there
    wanted = list(dict.fromkeys(c for c in text.split(",") if c)) if text else []
    if unknown := [c for c in wanted if c not in there]:
        raise ArgumentError(f"no rows of {', '.join(unknown)}; there are: {', '.join(there)}")
    ours = [c for c in there if is_ours(c)]
    if not wanted and not ours:
        raise ArgumentError(f"no rows of tokcodec; --codecs takes {', '.join(there)}, or all")
    return wanted or ours


def _at_hand(names: Sequence[str]) -> tuple[dict[str, Codec], list[str]]:
    """The codecs that there are on this machine, and what is wrong with the others."""
    codecs, failures = dict[str, Codec](), []
    for name in names:
        try:
            codecs[name] = find(name)
        except TokCodecError as e:
            failures.append(str(e))
    return codecs, failures


def _spread(names: Sequence[str], count: int) -> list[str]:
    """So many of the names, evenly from the first to the last; 0 is all.

    >>> _spread("abcdefghij", 3)
    ['a', 'f', 'j']
    """
    if not 0 < count < len(names):
        return list(names)
    return [names[int(place + 0.5)] for place in np.linspace(0, len(names) - 1, count)]


def _other(rows: Sequence[Row], codec: Codec) -> str:
    """What made a codec's rows, where that is not what is here."""
    made = sorted({r.version for r in rows if r.codec == codec.name})
    return "" if made == [codec.version] else f" (made by {'; '.join(made)}; here {codec.version})"


def work(job: Job) -> list[str]:
    """The rows that come out otherwise, and how."""
    codec, image = find(job.codec), pictures(job.images)[job.image]()
    found = []
    for row in job.rows:
        if problem := difference(codec, image, row, job.tolerance):
            chosen = f" by {row.chosen_by}" if codec.searched else ""
            found.append(f"{row.codec}, {row.image}, {row.target} bytes{chosen}: {problem}")
    return found


def difference(codec: Codec, image: Image.Image, row: Row, tolerance: float) -> str | None:
    """What a row says and the codec does not, in words; None where it is the same."""
    if row.bytes is None:
        settings = nothing_fits(codec.smallest(image, row.chosen_by == FULL_SIZE))
        return None if settings == row.settings else f"{settings}; the row has {row.settings}"
    data = codec.encode(image, parse_settings(row.settings))
    if len(data) != row.bytes:
        return f"{len(data)} bytes with {row.settings or 'no settings'}; the row has {row.bytes}"
    drawn = np.asarray(codec.decode(data, image.size))
    here = float(f"{finite(psnr(np.asarray(image), drawn)):.6g}")  # as many digits as rows have
    if row.psnr is None or abs(here - row.psnr) <= tolerance:
        return None
    return f"{here:.6g} dB; the row has {row.psnr:.6g}"
