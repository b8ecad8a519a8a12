"""Pictures, codecs and byte targets to rows of bytes against fidelity."""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks import codecs
from benchmarks.lists import listed, whole_numbers
from benchmarks.metrics import METRICS, measure
from benchmarks.pictures import check_same, pictures, set_name
from benchmarks.rows import CHOSEN_BY, Row, is_ours, nothing_fits, read, settings_text, write
from benchmarks.search import Found, Judge, best, winners
from tokcodec.errors import ArgumentError, InputError, TokCodecError, TokCodecWarning
from tokcodec.psnr import psnr

BYTES = (24, 32, 64, 128, 256, 512, 1024, 2048, 4096)
CODECS = ("tokcodec:pyramid@linear", *codecs.OPPONENTS)
RESULTS = Path("benchmarks/results")
PSNR, LPIPS, FULL_SIZE = CHOSEN_BY
LOSSLESS = 100.0  # dB in the row of a picture without any error: an infinite mean says nothing
T = TypeVar("T")


class Job(NamedTuple):
    """One codec and one picture: the unit of work, of failure and of resuming."""

    codec: str
    images: str
    image: str
    targets: tuple[int, ...]
    metrics: tuple[str, ...]
    known: tuple[Row, ...] = ()  # rows of an earlier run of the same version


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
        help="default: %(default)s; tokcodec:MODEL[@DECODER] for others",
    )
    parser.add_argument("--bytes", default=listed(BYTES), help="targets (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, help="folder of the rows (default: benchmarks/results/IMAGES)"
    )
    parser.add_argument(
        "--metrics",
        default=",".join(METRICS),
        help="which to measure (default: %(default)s); the VGG ones take most of the time",
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
    decoder or version have changed.
    """
    targets = whole_numbers(args.bytes, "bytes")
    metrics = tuple(m for m in args.metrics.split(",") if m)
    if unknown := set(metrics) - set(METRICS):
        raise ArgumentError(f"no metric {', '.join(unknown)}; there are: {', '.join(METRICS)}")
    named = [c for c in dict.fromkeys(args.codecs.split(",")) if c]
    images = sorted(pictures(args.images))
    out = args.out or RESULTS / set_name(args.images)
    failures: list[str] = []
    blank = np.zeros((128, 128, 3), np.uint8)
    for metric in metrics:  # warns here, once, of what is missing
        measure(metric, blank, blank)
    specs = []
    for spec in named:
        try:
            specs.append((spec, codecs.find(spec).version))
        except TokCodecError as e:
            failures.append(str(e))
    kept: dict[str, dict[tuple[str, str, int, str], Row]] = {}
    jobs = []
    for spec, version in specs:
        path = out / file_name(spec)
        rows = read(path) if path.exists() else []
        if is_ours(spec):
            rows = [r for r in rows if r.version == version]
        kept[spec] = {r.key: r for r in rows}
        for image in images:
            have = {t for s, i, t, _ in kept[spec] if i == image} if not args.again else set()
            missing = tuple(t for t in targets if t not in have)
            if missing:
                known = tuple(r for r in rows if r.image == image and r.version == version)
                jobs.append(Job(spec, args.images, image, missing, metrics, known))
    jobs.sort(key=lambda j: images.index(j.image))  # metrics keep what they know of an original
    check_same(args.images, out)
    out.mkdir(parents=True, exist_ok=True)
    for job, found in in_parallel(work, jobs, args.workers):
        if isinstance(found, str):
            failures.append(f"{job.image}, {job.codec}: {found}")
            continue
        kept[job.codec].update({r.key: r for r in found})
        write(out / file_name(job.codec), kept[job.codec].values())
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    print(f"{out}: {sum(map(len, kept.values()))} rows of {len(kept)} codecs")
    return 1 if failures else 0


def file_name(spec: str) -> str:
    """The file of a codec's rows: its name, with what file systems dislike replaced."""
    return re.sub(r"[^A-Za-z0-9.@=_-]+", "-", spec).strip("-") + ".tsv"


def in_parallel(
    job: Callable[[Job], T], jobs: list[Job], workers: int
) -> Iterable[tuple[Job, T | str]]:
    """Each job with its result, or what went wrong, as they finish."""
    context = multiprocessing.get_context("spawn")  # torch does not survive a fork
    with ProcessPoolExecutor(max(1, workers), context, initializer=one_thread) as pool:
        futures: dict[Future[T], Job] = {pool.submit(job, j): j for j in jobs}
        bar = tqdm(as_completed(futures), total=len(jobs), unit="picture", disable=not jobs)
        try:
            for future in bar:
                try:
                    yield futures[future], future.result()
                except (
                    Exception
                ) as e:  # whatever a codec raises: named at the end, the rest goes on
                    yield futures[future], f"{type(e).__name__}: {e}"
        except BaseException:  # interrupted: what has not begun is not begun
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def one_thread() -> None:
    """A worker is one of many: more threads each would only get in each other's way, and the
    parent has said what is missing.
    """
    warnings.simplefilter("ignore", TokCodecWarning)
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        import torch

        torch.set_num_threads(1)
    except ImportError:
        pass


@lru_cache(maxsize=4)
def _codec(spec: str) -> codecs.Codec:
    return codecs.find(spec)


def work(job: Job) -> list[Row]:
    """The rows of one codec and one picture."""
    codec, image = _codec(job.codec), pictures(job.images)[job.image]()
    original = np.asarray(image)
    if is_ours(job.codec):  # one file for each target: nothing to choose
        found = {(t, PSNR): best(codec, image, t, psnr) for t in job.targets}
    else:
        judges: dict[str, Judge] = {PSNR: psnr}
        if "lpips_alex" in job.metrics and measure("lpips_alex", original, original) is not None:
            judges[LPIPS] = _minus_lpips
        found = winners(codec, image, job.targets, judges, {FULL_SIZE: psnr})
    known = {(r.settings, r.bytes): r for r in job.known}
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
            measured[winner.data] = _known(before, psnr(original, winner.picture), job.metrics) or (
                _measured(codec, image, original, winner, job.metrics)
            )
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


def _known(
    row: Row | None, decibels: float, metrics: tuple[str, ...]
) -> tuple[float | None, ...] | None:
    """The measurements of an earlier row, if it is of the same file: by settings, length and
    PSNR.
    """
    if row is None or row.psnr is None or abs(row.psnr - decibels) > 1e-3:
        return None
    if any(getattr(row, name) is None for name in metrics):
        return None
    return *(getattr(row, name) for name in METRICS), row.encode_ms, row.decode_ms


def _measured(
    codec: codecs.Codec,
    image: Image.Image,
    original: np.ndarray,
    winner: Found,
    metrics: tuple[str, ...],
) -> tuple[float | None, ...]:
    """All metrics, then milliseconds to encode and to decode once."""
    values = [
        measure(name, original, winner.picture) if name in metrics else None for name in METRICS
    ]
    start = time.perf_counter()
    codec.encode(image, winner.settings)
    between = time.perf_counter()
    codec.decode(winner.data, image.size)
    end = time.perf_counter()
    finite = [v if v is None or math.isfinite(v) else LOSSLESS for v in values]
    return *finite, 1e3 * (between - start), 1e3 * (end - between)
