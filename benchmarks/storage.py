"""A set of pictures to what a million like them take on a disk: as files, in a bundle, in Parquet.

Thousands of distinct crops of the set are encoded and stored; sizes are measured and scaled as
`containers.Law` says. Crops differ in size, as pictures do, and no two are alike, so that no
compression profits from repetition.
"""

from __future__ import annotations

import argparse
import os
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

import tokcodec
from benchmarks.bandwidth import MIN_BYTES
from benchmarks.containers import CONTAINERS, MILLION, Law, measure
from benchmarks.everyday import jpeg, webp
from benchmarks.lists import listed, whole_numbers
from benchmarks.pictures import pictures, set_name
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec.errors import ArgumentError, TokCodecError

OUT = Path(__file__).parent / "results" / "storage"
BYTES = (32, 64, 128, 256, 512, 1024)
RIVALS = (jpeg(75), webp(75))
MIN_KEPT = 0.5  # of a side of the photograph that a crop keeps, at least
CHUNK = 32  # crops that one job encodes
COLUMNS = (
    "form", "version", "entries", "mean_pixels", "container", "mean_bytes", "added_bytes",
    "fixed_bytes", "million_bytes",
)  # fmt: skip

Forms = dict[str, list[bytes]]  # name of a form to encoded pictures, in the same order in each


def crops(image: Image.Image, name: str, numbers: range, side: int) -> Iterator[Image.Image]:
    """Distinct parts of a photograph: half to all of each side, then reduced to at most `side`
    pixels; the same for the same name and number.
    """
    for number in numbers:
        rng = np.random.default_rng([zlib.crc32(name.encode()), number])
        size = [max(1, round(n * rng.uniform(MIN_KEPT, 1))) for n in image.size]
        left, top = (int(rng.integers(0, n - m + 1)) for n, m in zip(image.size, size, strict=True))
        part = image.crop((left, top, left + size[0], top + size[1]))
        part.thumbnail((side, side), Image.Resampling.LANCZOS)
        yield part


def encode(
    name: str, load: Callable[[], Image.Image], numbers: range, side: int, sizes: list[int]
) -> tuple[Forms, int]:
    """Crops of a photograph in all forms, and their pixels together."""
    forms: Forms = {}
    pixels = 0
    for image in crops(load(), name, numbers, side):
        pixels += image.width * image.height
        largest = tokcodec.encode(image, max_bytes=max(sizes))
        for n in sizes:
            forms.setdefault(f"tokcodec {n}", []).append(tokcodec.cut(largest, max_bytes=n))
        for rival in RIVALS:
            forms.setdefault(rival.name, []).append(rival.encode(image))
    return forms, pixels


def rows_of(form: str, version: str, entries: Sequence[bytes], pixels: float) -> list[list[Cell]]:
    """Rows of COLUMNS for one form: its bytes alone, then each container."""
    mean = sum(map(len, entries)) / len(entries)
    laws: dict[str, Law | None] = {"bytes alone": Law(mean, 0.0, 0.0)}
    laws |= {name: measure(entries, store) for name, store in CONTAINERS.items()}
    rows: list[list[Cell]] = []
    for name, found in laws.items():
        numbers: list[Cell] = [None] * 3
        if found is not None:
            total = found.scaled()
            # a container of bare streams has entries of its own: all counted against the stream's
            numbers = [(total - found.fixed) / MILLION - mean, found.fixed, total]
        rows.append([form, version, len(entries), pixels, name, mean, *numbers])
    return rows


def table(rows: Iterable[Sequence[Cell]]) -> str:
    """Markdown: a line a form, a column a container; megabytes (10^6) for a million pictures."""
    lines: dict[Cell, list[Cell]] = {}
    columns: dict[str, None] = {}
    for form, _, _, _, container, mean, _, _, total in rows:
        line = lines.setdefault(form, [form, f"{mean:,.1f}"])
        line.append(None if total is None else f"{total / 1e6:,.1f}")  # type: ignore[operator]
        columns[str(container)] = None
    return markdown(["", "bytes a picture", *columns], list(lines.values()))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks storage`."""
    parser.add_argument(
        "--images", default="scikit-image", help="image set or folder (default: %(default)s)"
    )
    parser.add_argument(
        "--bytes",
        default=listed(BYTES),
        help="sizes of tokcodec streams (default: %(default)s)",
    )
    parser.add_argument(
        "--entries", type=int, default=4096, help="distinct crops to store (default: %(default)s)"
    )
    parser.add_argument(
        "--side", type=int, default=256, help="longest side of a crop (default: %(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the rows")


def run(args: argparse.Namespace) -> int:
    """Encode, store, write the rows, print the table; 1 if a picture could not be read."""
    named = set_name(args.images, args.out, OUT)
    sizes = whole_numbers(args.bytes, "bytes", MIN_BYTES)
    if args.entries < 4 or args.side < 16:
        raise ArgumentError("storage wants at least 4 entries and 16 pixels a side")
    forms, pixels, failed = encode_all(args, sizes)
    if not forms:
        return 1
    count = len(next(iter(forms.values())))
    order = np.random.default_rng(0).permutation(count)[: args.entries]
    model = tokcodec.load().model
    versions = {r.name: r.version for r in RIVALS}
    ours = f"tokcodec {tokcodec.__version__}, model {model.id[:8]}"
    rows: list[list[Cell]] = []
    for form, found in tqdm(forms.items(), disable=not sys.stderr.isatty(), unit="form"):
        mixed = [found[i] for i in order]
        rows += rows_of(form, versions.get(form, ours), mixed, pixels / count)
    write_tsv(args.out / f"{named}.tsv", COLUMNS, rows)
    print(
        f"A million pictures like {len(order)} crops of {args.images} "
        f"(mean {pixels / count:,.0f} pixels), megabytes\n"
    )
    print(table(rows))
    return 1 if failed else 0


def encode_all(args: argparse.Namespace, sizes: list[int]) -> tuple[Forms, int, set[str]]:
    """All forms of at least `args.entries` crops, their pixels, and names of photographs that could
    not be read.
    """
    loaders = pictures(args.images)
    each = -(-args.entries // len(loaders))
    chunks = [range(i, min(i + CHUNK, each)) for i in range(0, each, CHUNK)]
    forms: Forms = {}
    pixels, failed = 0, set()
    with ProcessPoolExecutor(args.jobs) as pool:
        jobs = [
            (name, pool.submit(encode, name, load, chunk, args.side, sizes))
            for chunk in chunks
            for name, load in loaders.items()
        ]
        for name, job in tqdm(jobs, disable=not sys.stderr.isatty(), unit=f"x{CHUNK} crops"):
            try:
                found, some = job.result()
            except (TokCodecError, OSError) as e:
                if name not in failed:
                    print(f"{name}: {e}", file=sys.stderr)
                failed.add(name)
                continue
            pixels += some
            for form, entries in found.items():
                forms.setdefault(form, []).extend(entries)
    return forms, pixels, failed
