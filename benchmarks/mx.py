"""A trained decoder, or a register tokenizer, in every MX format: how large its file is, and what
the pictures lose.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import tokcodec
from benchmarks.metrics import measure
from benchmarks.pictures import SETS, pictures, set_name
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec.decoders import SHIPPED, stored
from tokcodec.mx.file import load, quantised
from tokcodec.mx.formats import FORMATS
from tokcodec.mx.weights import is_weight

OUT = Path(__file__).parent / "results" / "mx"
TARGETS = (128, 512, 1024)  # bytes
REALISMS = (0.0, 1.0)
METRICS = {"psnr": "PSNR", "lpips_alex": "LPIPS-Alex", "dists": "DISTS"}
ORIGINAL = "float16"
COLUMNS = (
    "decoder", "format", "file_bytes", "image", "target", "realism", "bytes", *METRICS,
    "psnr_to_original",
)  # fmt: skip
AT = {name: i for i, name in enumerate(COLUMNS)}

Rows = list[list[Cell]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks mx`."""
    parser.add_argument("--images", default="scikit-image", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--decoder", type=Path, default=SHIPPED, help="a trained decoder's file")
    parser.add_argument("--tokenizer", type=Path, help="a register tokenizer's file, instead")
    parser.add_argument("--formats", nargs="+", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--bytes", type=int, nargs="+", default=list(TARGETS))
    parser.add_argument("--out", type=Path, default=OUT)


def run(args: argparse.Namespace) -> int:
    """Measure, write a TSV named after file and pictures, and print sizes and differences; 0."""
    named = set_name(args.images, args.out, OUT)
    original = args.tokenizer or args.decoder
    with TemporaryDirectory() as folder:
        files = {ORIGINAL: original}
        for name in args.formats:
            files[name] = Path(folder) / f"{name}.safetensors"
            files[name].write_bytes(quantised(original, FORMATS[name]))
        if args.tokenizer:
            from benchmarks import mx_tokenizer as tokenizer  # it needs torch

            columns: tuple[str, ...] = tokenizer.COLUMNS
            rows = list(tokenizer.rows(files, args.images))
            tables = tokenizer.shown(rows)
        else:
            knows = stored.read(original).shape.realism
            realisms = REALISMS if knows else REALISMS[:1]
            columns, rows = COLUMNS, list(_rows(files, args.images, args.bytes, realisms))
            tables = "\n".join(
                f"Realism {realism:g}\n\n{_shown(rows, realism, args.bytes)}"
                for realism in realisms
            )
        sizes = markdown(("format", "bits a weight", "bytes", "weights, dB"), list(_sizes(files)))
    write_tsv(args.out / f"{original.stem}-{named}.tsv", columns, rows)
    print(f"{sizes}\n{tables}")
    return 0


def _rows(
    files: dict[str, Path], images: str, targets: list[int], realisms: tuple[float, ...]
) -> Iterator[list[Cell]]:
    with open(files[ORIGINAL], "rb") as f:
        identity = hashlib.file_digest(f, "sha256").hexdigest()[:8]
    for image, loaded in pictures(images).items():
        picture = np.asarray(loaded())
        for target in targets:
            stream = tokcodec.encode(picture, max_bytes=target)
            for realism in realisms:
                original: np.ndarray | None = None
                for name, path in files.items():
                    shown = np.asarray(tokcodec.decode(stream, decoder=path, realism=realism))
                    kept = [measure(metric, picture, shown) for metric in METRICS]
                    same = None if original is None else measure("psnr", original, shown)
                    size = path.stat().st_size
                    yield [identity, name, size, image, target, realism, len(stream), *kept, same]
                    original = shown if original is None else original


def _sizes(files: dict[str, Path]) -> Iterator[list[Cell]]:
    """A row for each file; decibels of the weights' power over that of their rounding."""
    original = load(files[ORIGINAL])
    names = [name for name, x in original.items() if is_weight(x.shape)]
    power = sum(float(np.square(original[n], dtype=np.float64).sum()) for n in names)
    for form, path in files.items():
        size = f"{path.stat().st_size:,}"
        if form == ORIGINAL:
            yield [form, 16, size, None]
            continue
        found = load(path)
        lost = sum(float(np.square(found[n] - original[n], dtype=np.float64).sum()) for n in names)
        yield [form, FORMATS[form].bits_each, size, 10 * float(np.log10(power / lost))]


def _shown(rows: Rows, realism: float, targets: list[int]) -> str:
    """Means of the original, and differences to them."""
    columns = ["format", *(f"{m}, {t}" for t in targets for m in METRICS.values())]
    table: Rows = []
    for form in dict.fromkeys(str(row[AT["format"]]) for row in rows):
        line: list[Cell] = [form]
        for target in targets:
            for metric in METRICS:
                here = _mean(rows, form, realism, target, metric)
                base = _mean(rows, ORIGINAL, realism, target, metric)
                if here is None or base is None:
                    line.append(None)
                else:
                    change = round(here - base, 3) + 0.0  # no minus before nothing
                    line.append(f"{here:.3f}" if form == ORIGINAL else f"{change:+.3f}")
        table.append(line)
    return markdown(columns, table)


def _mean(rows: Rows, form: str, realism: float, target: int, metric: str) -> float | None:
    wanted = [form, realism, target]
    at = [AT["format"], AT["realism"], AT["target"]]
    found = [row[AT[metric]] for row in rows if [row[i] for i in at] == wanted]
    return None if None in found else float(np.mean(found))  # type: ignore[arg-type]
