"""Codecs and picture sizes to time, as ratios to WebP and AVIF in the same run, and to memory.

All contenders take turns on the same pictures (`scenes`), in processes with one processor and with
all (`stopwatch`); the best of several runs counts. WebP and AVIF have a fixed low quality, all
others 0.1 bit a pixel (`contenders`).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.contenders import RIVALS
from benchmarks.lists import whole_numbers
from benchmarks.pictures import SETS, pictures, set_name
from benchmarks.scenes import scenes
from benchmarks.stopwatch import JOBS, readable
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec.registry import DEFAULT

OUT = Path(__file__).parent / "results" / "speed"
SIDES = (64, 128, 256, 512, 1024, 2048, 4096)
CODECS = (f"tokcodec:{DEFAULT}@linear",)
LARGE = 1024  # pixels a side from which on growth is fitted: below, what a call costs shows
ROUNDS, SECONDS = 25, 3.0
THREADS = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "RAYON")
TIMES = (
    "machine", "threads", "side", "codec", "version", "settings", "job", "bytes", "ms",
    "megapixels_per_second", "runs",
)  # fmt: skip
PEAKS = ("side", "codec", "job", "base_mb", "peak_mb", "added_mb")

Found = dict[str, Any]


def order(threads: int, /, **arguments: Any) -> Iterator[Found]:
    """Give an order to a stopwatch of its own process; what it finds, as it finds it.

    A process that dies (out of memory, a crash in a library) ends with {"failed": ...}.
    """
    environment = dict(os.environ) | {f"{name}_NUM_THREADS": str(threads) for name in THREADS}
    command = [sys.executable, "-m", "benchmarks.stopwatch"]
    root = Path(__file__).parent.parent
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, cwd=root, text=True
    ) as process:
        process.stdin.write(json.dumps(arguments))  # type: ignore[union-attr]
        process.stdin.close()  # type: ignore[union-attr]
        for line in process.stdout:  # type: ignore[union-attr]
            yield json.loads(line)
    if process.returncode:
        head: Found = {k: arguments[k] for k in ("side", "codec", "job") if k in arguments}
        yield {"side": None, "codec": "", **head, "failed": f"exit code {process.returncode}"}


def growth(pixels: Sequence[float], values: Sequence[float]) -> float | None:
    """Exponent e of values ~ pixels^e, by least squares of logarithms; None below two sizes.

    >>> round(growth([1e4, 1e6], [1.0, 100.0]), 6)
    1.0
    """
    if len(set(pixels)) < 2:
        return None
    return float(np.polyfit(np.log(pixels), np.log(values), 1)[0])


def ratios(found: Sequence[Found], threads: int) -> str:
    """Markdown, for each codec that is no rival: milliseconds by side, and times those of WebP and
    AVIF (above 1: slower).
    """
    here = [f for f in found if f["threads"] == threads]
    ms = {(f["codec"], f["side"], f["job"]): f["ms"] for f in here}
    size = {(f["codec"], f["side"]): f["bytes"] for f in here}
    sides = sorted({f["side"] for f in here})
    text = ""
    for codec in dict.fromkeys(c for c, _, _ in ms if c not in RIVALS):
        rows: list[list[Cell]] = []
        for side in sides:
            row: list[Cell] = [side, *(size.get((c, side)) for c in (codec, *RIVALS))]
            for job in JOBS:
                own = ms.get((codec, side, job))
                others = [ms.get((rival, side, job)) for rival in RIVALS]
                row += [own, *(own / o if own and o else None for o in others)]
            rows.append(row)
        columns = ["side", "bytes", *RIVALS]
        columns += [c for job in JOBS for c in (f"{job}, ms", *(f"/ {r}" for r in RIVALS))]
        plural = "" if threads == 1 else "s"
        text += f"{codec}, {threads} thread{plural}\n\n{markdown(columns, rows)}\n"
    return text


def exponents(found: Sequence[Found]) -> str:
    """Markdown: growth of time with pixels, from `LARGE` pixels a side on."""
    keys = dict.fromkeys((f["threads"], f["codec"]) for f in found)
    rows: list[list[Cell]] = []
    for threads, codec in keys:
        row: list[Cell] = [codec, threads]
        for job in JOBS:
            some = [
                (f["side"] ** 2, f["ms"])
                for f in found
                if (f["threads"], f["codec"], f["job"]) == (threads, codec, job)
                and f["side"] >= LARGE
            ]
            exponent = growth([p for p, _ in some], [t for _, t in some])
            row.append(None if exponent is None else f"{exponent:.2f}")
        rows.append(row)
    return markdown(["growth with pixels", "threads", *JOBS], rows)


def peaks(found: Sequence[Found]) -> str:
    """Markdown: megabytes at the peak, and of these what the job added."""
    sides = sorted({f["side"] for f in found})
    cells = {(f["codec"], f["job"], f["side"]): f for f in found}
    rows: list[list[Cell]] = []
    for codec, job in dict.fromkeys((c, j) for c, j, _ in cells):
        row: list[Cell] = [f"{codec}, {job}"]
        for side in sides:
            cell = cells.get((codec, job, side))
            known = cell and cell["peak_mb"] is not None and cell["base_mb"] is not None
            text = f"{cell['peak_mb']:.0f} (+{added(cell):.0f})" if cell and known else None
            row.append(text)
        rows.append(row)
    return markdown(["peak memory, MB", *map(str, sides)], rows)


def added(cell: Found) -> float:
    """Megabytes that a job added to what its process had."""
    return cell["peak_mb"] - cell["base_mb"]


def import_time(module: str = "tokcodec", runs: int = 1) -> float:
    """Milliseconds that importing a module takes in a fresh process, the best of several."""
    took = []
    for _ in range(runs):
        out = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", f"import {module}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        took.append(int(out.stderr.splitlines()[-1].split("|")[1]) / 1e3)
    return min(took)


def machine() -> str:
    """Kind of processor and how many of them, in words."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(x.split(":")[1].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.machine()
    return f"{name}, {processors()} processors"


def processors() -> int:
    """How many this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return count or 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks speed`."""
    parser.add_argument(
        "--images", default="scikit-image", help="image set or folder (default: %(default)s)"
    )
    parser.add_argument(
        "--codecs",
        default=",".join(CODECS),
        help="beside WebP and AVIF (default: %(default)s)",
    )
    parser.add_argument(
        "--sides",
        default=",".join(map(str, SIDES)),
        help="pixels a side of square pictures (default: %(default)s)",
    )
    parser.add_argument(
        "--threads", default="1,all", help="numbers of processors (default: %(default)s)"
    )
    parser.add_argument("--no-memory", action="store_true", help="leave peak memory out")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one run each: no numbers to keep, and without --out none are written",
    )
    parser.add_argument(
        "--out", type=Path, help="folder of the rows (default: benchmarks/results/speed)"
    )


def run(args: argparse.Namespace) -> int:
    """Time, write the rows, print the tables; 1 if a codec or a picture failed."""
    sides = whole_numbers(args.sides, "sides")
    threads = whole_numbers(args.threads, "threads", all=processors())
    codecs = list(dict.fromkeys([*RIVALS, *args.codecs.split(",")]))
    out = args.out or (None if args.quick else OUT)
    named = set_name(args.images, out, OUT)
    images = args.images if args.images in SETS else str(Path(args.images).resolve())
    pictures(images)  # refuses a set that is not there before anything starts
    rounds, seconds = (1, 0.0) if args.quick else (ROUNDS, SECONDS)
    failures: list[Found] = []
    found: list[Found] = []
    with tqdm(
        total=len(threads) * len(sides) * len(codecs) * len(JOBS),
        disable=not sys.stderr.isatty(),
        unit="time",
    ) as bar:
        for n in threads:
            for one in order(
                n, task="times", codecs=codecs, sides=sides, images=images, threads=n,
                rounds=rounds, seconds=seconds,
            ):  # fmt: skip
                sort_out(one | {"threads": n}, found, failures)
                bar.update()
    memory = [] if args.no_memory else list(memory_of(images, found, failures))
    report(out, named, found, memory, import_time(runs=1 if args.quick else 5))
    return 1 if failures else 0


def sort_out(one: Found, found: list[Found], failures: list[Found]) -> None:
    """A finding to the findings, or to the failures and the error output."""
    if "failed" not in one:
        found.append(one)
    elif (one["codec"], one["failed"]) not in [(f["codec"], f["failed"]) for f in failures]:
        failures.append(one)
        at = f" at {one['side']} pixels" if one["side"] else ""
        print(f"{one['codec']}{at}: {one['failed']}", file=sys.stderr)


def memory_of(images: str, found: Sequence[Found], failures: list[Found]) -> Iterator[Found]:
    """Peak memory of each codec and side that was timed, encoding and decoding, one thread."""
    settings = {(f["side"], f["codec"]): f["settings"] for f in found}
    photographs, _ = readable(images)
    with tempfile.TemporaryDirectory() as folder:
        picture, file = str(Path(folder) / "picture.npy"), str(Path(folder) / "file")
        for (side, codec), how in tqdm(
            settings.items(), disable=not sys.stderr.isatty(), unit="peak"
        ):
            np.save(picture, np.asarray(scenes(photographs, side)[0]))
            for job in ("encode", "decode"):
                good: list[Found] = []
                for one in order(
                    1, task="peak", codec=codec, side=side, job=job, settings=how,
                    picture=picture, file=file,
                ):  # fmt: skip
                    sort_out(one, good, failures)
                yield from good
                if not good:
                    break


def report(
    out: Path | None,
    named: str,
    found: Sequence[Found],
    memory: Sequence[Found],
    importing: float,
) -> None:
    """Write times-SET.tsv, peaks-SET.tsv and import.tsv, and print what they say.

    Args:
        out: folder of the files; None writes none.
        named: what the pictures are called.
        importing: milliseconds of `import tokcodec`.
    """
    here = machine()
    if out:
        _write(out, named, here, found, memory, importing)
    versions = dict.fromkeys(f"{f['codec']} ({f['version']})" for f in found)
    print(f"{here}; {', '.join(versions)}; import tokcodec {importing:.0f} ms\n")
    for threads in dict.fromkeys(f["threads"] for f in found):
        print(ratios(found, threads))
    print(exponents(found))
    if memory:
        print(peaks(memory))


def _write(
    out: Path,
    named: str,
    here: str,
    found: Sequence[Found],
    memory: Sequence[Found],
    importing: float,
) -> None:
    rows: list[list[Cell]] = []
    for f in found:
        speed = f["side"] ** 2 / 1e3 / f["ms"]  # pixels a microsecond
        values = f | {"machine": here, "megapixels_per_second": speed}
        rows.append([values[column] for column in TIMES])
    write_tsv(out / f"times-{named}.tsv", TIMES, rows)
    if memory:
        known = [f for f in memory if f["peak_mb"] is not None and f["base_mb"] is not None]
        write_tsv(
            out / f"peaks-{named}.tsv",
            PEAKS,
            [[(f | {"added_mb": added(f)})[c] for c in PEAKS] for f in known],
        )
    write_tsv(out / "import.tsv", ("machine", "module", "ms"), [[here, "tokcodec", importing]])
