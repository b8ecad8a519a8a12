"""What effort buys: decibels at equal bytes, and seconds of a processor, level by level."""

from __future__ import annotations

import argparse
import csv
import time
from pathlib import Path

import numpy as np
from PIL import Image

import tokcodec
from benchmarks.codecs import find
from benchmarks.lists import listed, whole_numbers
from benchmarks.pictures import SETS, check_same, pictures, set_name
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec.effort import LINEAR, MAX_EFFORT
from tokcodec.errors import InputError
from tokcodec.psnr import psnr
from tokcodec.registry import DEFAULT

OUT = Path(__file__).parent / "results" / "effort"
TARGETS = (64, 128, 256, 512, 1024, 2048)
COLUMNS = ("image", "target", "effort", "version", "bytes", "psnr", "psnr_network", "seconds")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks effort`."""
    parser.add_argument("--images", default="scikit-image", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--bytes", default=listed(TARGETS), help="default: %(default)s")
    parser.add_argument("--efforts", default=listed(range(MAX_EFFORT + 1)), help="default: all")
    parser.add_argument("--network", action="store_true", help="draw with the network, too")
    parser.add_argument(
        "--model", default=DEFAULT, help="what encodes; others than %(default)s have rows apart"
    )
    parser.add_argument(
        "--decoder", default=LINEAR, help="whose picture effort looks at; others have rows apart"
    )
    parser.add_argument(
        "--every", type=int, default=1, choices=range(1, 101), metavar="N", help="each N-th picture"
    )
    parser.add_argument("--again", action="store_true", help="measure even what there are rows of")
    parser.add_argument("--out", type=Path, default=OUT)


def run(args: argparse.Namespace) -> int:
    """Measure what the rows do not hold yet, write them, and print the means; 0. Rows of another
    version, model or decoder are dropped.

    `psnr` is that of the linear decoder, `psnr_network` that of the network at realism 0, the
    shipped one unless effort looks through another; `seconds` are the processor's, of one encoding.
    Where effort looks through a network, the means are of `psnr_network`.

    Raises:
        InputError: a picture was another one when its rows were measured, or the file holds none.
    """
    targets, efforts = whole_numbers(args.bytes, "bytes"), whole_numbers(args.efforts, "efforts", 0)
    through = args.decoder != LINEAR
    apart = [Path(args.model).stem] * (args.model != DEFAULT) + [Path(args.decoder).stem] * through
    network = args.network or through
    path = args.out / f"{'@'.join([set_name(args.images, args.out, OUT), *apart])}.tsv"
    drawn = (f"{args.decoder}@" if through else "") + "realism=0" if network else "linear"
    version = find(f"tokcodec:{args.model}@{drawn}").version
    rows = _read(path, version) if path.exists() else {}
    check_same(args.images, path.with_suffix(".sha256"))  # of this file's rows alone
    if args.again:
        rows = {key: row for key, row in rows.items() if key[2] not in efforts}
    for effort in efforts:
        for target in targets:
            for name, load in list(pictures(args.images).items())[:: args.every]:
                key = name, target, effort
                if key in rows:
                    continue
                found = _measure(load(), target, effort, network, args.model, args.decoder)
                rows[key] = [*key, version, *found]
                write_tsv(path, COLUMNS, [rows[key] for key in sorted(rows)])
    print(_table(rows, COLUMNS.index("psnr_network" if through else "psnr")))
    return 0


def _measure(
    picture: Image.Image, target: int, effort: int, network: bool, model: str, decoder: str
) -> list[Cell]:
    """Bytes, both PSNRs and seconds."""
    how = {"effort": effort, "decoder": decoder} if effort else {}
    start = time.process_time()
    data = tokcodec.encode(picture, max_bytes=target, model=model, **how)
    seconds = time.process_time() - start
    drawn = _psnr(data, picture, decoder="linear")
    drawer = "auto" if decoder == LINEAR else decoder
    better = _psnr(data, picture, decoder=drawer, realism=0.0) if network else None
    return [len(data), drawn, better, seconds]


def _psnr(data: bytes, picture: Image.Image, **how) -> float:
    return psnr(np.asarray(tokcodec.decode(data, **how)), np.asarray(picture))


def _read(path: Path, wanted: str) -> dict[tuple[str, int, int], list[Cell]]:
    """The rows of the version that is wanted."""
    with path.open(newline="", encoding="utf-8") as lines:
        reader = csv.reader(lines, delimiter="\t")
        if tuple(next(reader, ())) != COLUMNS:
            raise InputError(f"{path} holds no rows of this benchmark")
        rows: dict[tuple[str, int, int], list[Cell]] = {}
        for name, target, effort, version, size, *numbers in reader:
            if version == wanted:
                key = name, int(target), int(effort)
                rows[key] = [*key, version, int(size), *(float(v) if v else None for v in numbers)]
        return rows


def _table(rows: dict[tuple[str, int, int], list[Cell]], column: int) -> str:
    """Mean gain of a column over effort 0 by level and target, of the pictures measured at both,
    and mean seconds.
    """
    targets = sorted({target for _, target, _ in rows})
    lines: list[list[Cell]] = []
    for effort in sorted({effort for *_, effort in rows}):
        gains, seconds = [], []
        for target in targets:
            pairs = [
                (rows[name, t, e], rows[name, t, 0])
                for name, t, e in rows
                if (t, e) == (target, effort) and (name, t, 0) in rows
            ]
            gains.append(_mean([float(a[column]) - float(b[column]) for a, b in pairs]))  # type: ignore[arg-type]
            seconds.append(_mean([float(a[-1]) for a, _ in pairs]))  # type: ignore[arg-type]
        known = [gain for gain in gains if gain is not None]
        shown = [None if gain is None else f"{gain:+.2f}" for gain in [*gains, _mean(known)]]
        times = " / ".join("–" if s is None else f"{s:.2g}" for s in seconds)
        lines.append([effort, *shown, times])
    columns = ("effort", *(f"{t} bytes" for t in targets), "mean, dB", "seconds")
    return markdown(columns, lines)


def _mean(values: list[float]) -> float | None:
    return float(np.mean(values)) if values else None
