"""Pictures, codecs and byte targets to rows of bytes against fidelity."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks import codecs
from benchmarks.lists import listed, whole_numbers
from benchmarks.metrics import METRICS, least_side, measure
from benchmarks.pictures import SUMS, Loader, check_same, pictures, set_name
from benchmarks.rows import (
    CHOSEN_BY,
    FULL_SIZE,
    LPIPS,
    PSNR,
    Row,
    finite,
    nothing_fits,
    read,
    settings_text,
    write,
)
from benchmarks.search import Found, Judge, best, winners
from benchmarks.workers import in_parallel
from tokcodec.errors import ArgumentError, InputError, TokCodecError
from tokcodec.files import make_folder
from tokcodec.psnr import psnr
from tokcodec.registry import DEFAULT

BYTES = (24, 32, 64, 128, 256, 512, 1024, 2048, 4096)
OURS = f"tokcodec:{DEFAULT}"
CODECS = (OURS, f"{OURS}@realism=0", f"{OURS}@linear", *codecs.OPPONENTS)
RESULTS = Path("benchmarks/results")
Key = tuple[str, str, int, str]  # of a row


class Job(NamedTuple):
    """One codec and one picture: the unit of work, of failure and of resuming."""

    codec: str
    images: str
    image: str
    targets: tuple[int, ...]
    metrics: tuple[str, ...]
    known: tuple[Row, ...] = ()  # rows of earlier runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks rd`."""
    parser.add_argument(
        "--images",
        default="scikit-image",
        help="scikit-image (default), kodak256, kodak (TOKCODEC_KODAK names the folder), or a "
        "folder",
    )
    parser.add_argument(
        "--codecs",
        default=",".join(CODECS),
        help="default: %(default)s; tokcodec:MODEL[@DECODER][@realism=R][@effort=N] for "
        "others, MODULE:FUNCTION for your own",
    )
    parser.add_argument("--bytes", default=listed(BYTES), help="targets (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, help="folder of the rows (default: benchmarks/results/IMAGES)"
    )
    parser.add_argument(
        "--metrics",
        default=",".join(METRICS),
        help="which to measure (default: %(default)s), psnr always; the VGG ones take most of the "
        "time",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--again",
        action="store_true",
        help="search anew where there are rows; a file found again keeps its measurements",
    )


def run(args: argparse.Namespace) -> int:
    """Measure what is missing; 1 if anything failed (the rest is measured all the same).

    Rows of opponents are measured once and kept; those of tokcodec are measured again when model,
    decoder or version have changed, at the targets and of the pictures that are asked for: older
    rows of others stay, and standard error says how many. A row that lacks a metric that is asked
    for and can be measured is missing.

    Raises:
        ArgumentError: no such metric or pictures, no codec, or targets that are no whole numbers.
        InputError: broken rows, or a picture was another one when its rows were measured.
        OutputError: the rows cannot be written.
    """
    targets = whole_numbers(args.bytes, "bytes")
    metrics = _asked_metrics(args.metrics)
    loaders = pictures(args.images)
    out = args.out or RESULTS / set_name(args.images)
    gaps = Gaps(metrics, loaders)
    found_codecs, failures = _asked_codecs(args.codecs)
    kept = {codec.name: _rows(out / file_name(codec.name)) for codec in found_codecs}
    jobs = []
    for image in sorted(loaders):  # metrics keep what they know of an original
        for codec in found_codecs:
            rows = kept[codec.name]
            missing = tuple(t for t in targets if args.again or gaps.at(rows, codec, image, t))
            if missing:
                known = tuple(r for r in rows.values() if r.image == image)
                jobs.append(Job(codec.name, args.images, image, missing, metrics, known))
    check_same(args.images, out / SUMS)
    make_folder(out)
    for job, found in in_parallel(work, jobs, args.workers):
        if isinstance(found, str):
            failures.append(f"{job.image}, {job.codec}: {found}")
            continue
        rows = kept[job.codec] | {r.key: r for r in found}
        try:
            write(out / file_name(job.codec), rows.values())
        except ArgumentError as e:  # a name that cannot be in a row, a file of no bytes
            failures.append(f"{job.image}, {job.codec}: {e}")
            continue
        kept[job.codec] = rows
    for codec in found_codecs:
        _tell_outdated(out / file_name(codec.name), kept[codec.name], codec)
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    print(f"{out}: {sum(map(len, kept.values()))} rows of {len(kept)} codecs")
    return 1 if failures else 0


def _asked_metrics(text: str) -> tuple[str, ...]:
    """The metrics asked for, and PSNR, by which files are known."""
    asked = {m for m in text.split(",") if m}
    if unknown := asked - set(METRICS):
        raise ArgumentError(f"no metric {', '.join(unknown)}; there are: {', '.join(METRICS)}")
    return tuple(m for m in METRICS if m in asked or m == "psnr")


def _asked_codecs(text: str) -> tuple[list[codecs.Codec], list[str]]:
    """The codecs asked for, each once, and what is wrong with those that cannot be had."""
    found, failures = [], []
    for spec in dict.fromkeys(text.split(",")):
        try:
            found += [codecs.find(spec)] if spec else []
        except TokCodecError as e:
            failures.append(str(e))
    if not found and not failures:
        raise ArgumentError(f"--codecs names none; the usual ones: {', '.join(CODECS)}")
    return found, failures


def _rows(path: Path) -> dict[Key, Row]:
    """The rows of earlier runs."""
    return {row.key: row for row in read(path)} if path.exists() else {}


def _tell_outdated(path: Path, rows: Mapping[Key, Row], codec: codecs.Codec) -> None:
    """Say on standard error how many of a codec's rows are of another version."""
    older = sum(r.version != codec.version for r in rows.values()) if changes(codec.name) else 0
    if older:
        text = "rows of another version stay: their targets or pictures were not measured now"
        print(f"{path}: {older} {text}", file=sys.stderr)


class Gaps:
    """What rows lack that can be measured on this machine."""

    def __init__(self, metrics: Iterable[str], loaders: Mapping[str, Loader]) -> None:
        found = {metric: least_side(metric) for metric in metrics}  # warns, once, of what is not
        self._least = {metric: side for metric, side in found.items() if side is not None}
        self._loaders = loaders
        self._sides: dict[str, int] = {}

    def at(self, rows: Mapping[Key, Row], codec: codecs.Codec, image: str, target: int) -> bool:
        """Whether a row of a picture and target is not there, lacks a metric, or is outdated."""
        for way in CHOSEN_BY if codec.searched else (PSNR,):
            row = rows.get((codec.name, image, target, way))
            if row is None:
                if way != LPIPS or self._measurable("lpips_alex", image):
                    return True
                continue
            lacks = [m for m in self._least if row.bytes is not None and getattr(row, m) is None]
            outdated = changes(codec.name) and row.version != codec.version
            if outdated or any(self._measurable(metric, image) for metric in lacks):
                return True
        return False

    def _measurable(self, metric: str, image: str) -> bool:
        return metric in self._least and self._side(image) >= self._least[metric]

    def _side(self, image: str) -> int:
        """Of a picture the shorter side, pixels; of one that cannot be read, more than any metric
        needs: the job that tries says what is wrong.
        """
        if image not in self._sides:
            try:
                self._sides[image] = min(self._loaders[image]().size)
            except (TokCodecError, OSError):
                self._sides[image] = sys.maxsize
        return self._sides[image]


def changes(spec: str) -> bool:
    """Whether a codec is somebody's work in hand, whose older rows say nothing of it any more."""
    return spec not in codecs.OPPONENTS


def file_name(spec: str) -> str:
    """The file of a codec's rows: its name, with what file systems dislike replaced."""
    return re.sub(r"[^A-Za-z0-9.@=_-]+", "-", spec).strip("-") + ".tsv"


@lru_cache(maxsize=4)
def _codec(spec: str) -> codecs.Codec:
    return codecs.find(spec)


def work(job: Job) -> list[Row]:
    """The rows of one codec and one picture."""
    codec, image = _codec(job.codec), pictures(job.images)[job.image]()
    original = np.asarray(image)
    if not codec.searched:  # one file for each target: nothing to choose
        found = {(t, PSNR): best(codec, image, t, psnr) for t in job.targets}
    else:
        judges: dict[str, Judge] = {PSNR: psnr}
        if "lpips_alex" in job.metrics and measure("lpips_alex", original, original) is not None:
            judges[LPIPS] = _minus_lpips
        found = winners(codec, image, job.targets, judges, {FULL_SIZE: psnr})
    known = {(r.settings, r.bytes): r for r in job.known if r.version == codec.version}
    replaced = [r for r in job.known if r.target in job.targets]
    if changes(job.codec):
        replaced = [r for r in replaced if r.version == codec.version]
    metrics = {m for m in METRICS if any(getattr(r, m) is not None for r in replaced)}
    metrics |= {*job.metrics}  # no row loses any
    measured: dict[bytes, tuple[float | None, ...]] = {}
    rows = []
    for (target, chosen_by), winner in found.items():
        if winner is None:
            least = codec.smallest(image, chosen_by == FULL_SIZE)
            rows.append(
                Row(job.image, codec.name, codec.version, nothing_fits(least), target, chosen_by)
            )
            continue
        if winner.data not in measured:
            before = known.get((settings_text(winner.settings), len(winner.data)))
            measured[winner.data] = _measured(codec, image, original, winner, metrics, before)
        rows.append(
            Row(
                job.image, codec.name, codec.version, settings_text(winner.settings), target,
                chosen_by, len(winner.data), *measured[winner.data],
            )
        )  # fmt: skip
    return rows


def _minus_lpips(original: np.ndarray, decoded: np.ndarray) -> float:
    value = measure("lpips_alex", original, decoded)
    if value is None:
        raise InputError("LPIPS-Alex has no value for this picture")
    return -value


def _measured(
    codec: codecs.Codec,
    image: Image.Image,
    original: np.ndarray,
    winner: Found,
    metrics: set[str],
    before: Row | None,
) -> tuple[float | None, ...]:
    """All metrics, then milliseconds to encode and to decode once; what an earlier row of the same
    settings, version and length has is taken from there, if by its PSNR it is of the same file.
    """
    if before is not None and (
        before.psnr is None or abs(before.psnr - finite(psnr(original, winner.picture))) > 1e-3
    ):
        before = None
    values: list[float | None] = []
    for name in METRICS:
        value = getattr(before, name, None)
        if value is None and name in metrics:
            value = finite(measure(name, original, winner.picture))
        values.append(value)
    if before is not None:
        return *values, before.encode_ms, before.decode_ms
    start = time.perf_counter()
    codec.encode(image, winner.settings)
    between = time.perf_counter()
    codec.decode(winner.data, image.size)
    end = time.perf_counter()
    return *values, 1e3 * (between - start), 1e3 * (end - between)
