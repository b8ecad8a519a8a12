"""Photographs to the numbers behind `encode(quality=...)`: how much each scale's loss is seen.

    python -m benchmarks fit-quality --images photos/ more.tar --rows judged.tsv --out quality.json

First prefixes of crops are decoded and measured (`benchmarks.judged`), which takes about a second
each; they are kept in --rows, and a second run with the same --images and --seed goes on from
there. Then the weights of `quality.Sight` are fitted by least squares, none below a floor, and how
many bytes an error takes in the mean.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

import tokcodec
from benchmarks import judged
from benchmarks.judged import Judged, Measure
from benchmarks.metrics import measure
from tokcodec.coder.codestring import Script
from tokcodec.decoders import SHIPPED as DECODER
from tokcodec.errors import ArgumentError
from tokcodec.files import check_free, make_folder, write_atomically
from tokcodec.quality import GROUPS, Gauge, Sight
from tokcodec.tokens.picture import source_of
from tokcodec.tokens.tokens import DIGITS
from tokcodec.train.images.files import Place

MASKING = 64.0  # energy a pixel; 32 and 128 predict no better
FLOOR = 0.02  # no scale is free, however little it says on photographs
FOLDS = 8  # of the cross-validation, by photograph
SHARE = 1 / 3  # of SSIMULACRA2 in what is predicted; the rest is DISTS
BEYOND = 0.55  # prefixes that are worse than this are left out: no quality asks for them
LIKE_DISTS = 400.0  # (100 - SSIMULACRA2) / 400 is about the DISTS of the same picture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks fit-quality`."""
    parser.add_argument("--images", type=Path, nargs="+", required=True)
    parser.add_argument("--rows", type=Path, required=True, help="measurements, added to")
    parser.add_argument("--out", type=Path, required=True, help="weights, a JSON file")
    parser.add_argument("--count", type=int, default=120, help="crops (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)


def run(args: argparse.Namespace) -> int:
    """Measure, fit, write; 0.

    Raises:
        ArgumentError: too few crops, or rows of others.
        InputError: no photographs, or the rows cannot be read.
        OutputError: the weights cannot be written; nothing is measured.
    """
    if args.count < 2 * FOLDS or args.seed < 0:
        raise ArgumentError(f"--count is {2 * FOLDS} or more, --seed 0 or more")
    if not args.out.is_file():  # a second run fits anew
        check_free(args.out)
    if args.rows is not None and not args.rows.is_file():  # it goes on from there
        check_free(args.rows)
        make_folder(args.rows.parent)
    chosen = judged.sources(args.images)
    rows = collect(chosen, args.count, args.seed, args.rows, measure)
    text = json.dumps(calibrate(rows, chosen, args.seed), indent=1) + "\n"
    write_atomically(args.out, text.encode(), overwrite=True)
    return 0


def seen(row: Judged) -> float:
    """The error of a prefix as it is to be predicted: two parts DISTS, one part SSIMULACRA2, on one
    scale; DISTS alone where there is no SSIMULACRA2.
    """
    other = row.dists if np.isnan(row.ssimulacra2) else (100 - row.ssimulacra2) / LIKE_DISTS
    return (1 - SHARE) * row.dists + SHARE * other


def told(rgb: np.ndarray, tokens: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """What prefixes of a picture leave out, (len(tokens), GROUPS), as `Gauge.shares`, and the bytes
    of their code strings, (len(tokens),).
    """
    codec = tokcodec.load()
    if not isinstance(codec, tokcodec.Codec):
        raise ArgumentError("quality is predicted for pyramids only")
    source = source_of(codec.model, rgb)
    order = source.order
    gauge = Gauge(Script(order, source.digits), source, Sight((0.0,) * GROUPS, MASKING))
    found: dict[int, tuple[np.ndarray, float]] = {0: (gauge.shares, 0.0)}
    wanted, at = sorted(set(tokens) - {0}), 0
    for number, step in enumerate(order.passes):
        if not wanted:
            break
        here, left, spent = gauge.group_of(number), gauge.advance(number), gauge.spent(number)
        while wanted and (end := min(wanted[0] * DIGITS, order.digits)) <= at + step.digits:
            now = gauge.shares
            now[here] = np.sqrt(left[end - at - 1] / gauge.seen[here])
            found[wanted.pop(0)] = now, float(spent[end - at - 1])
        at += step.digits
    shares, sizes = zip(*(found[n] for n in tokens), strict=True)
    return np.stack(shares), np.array(sizes)


def fit(x: np.ndarray, y: np.ndarray, rounds: int = 2000) -> np.ndarray:
    """Least squares of y (n,) on x (n, k) with no weight below `FLOOR`, a coordinate at a time."""
    normal, right = x.T @ x, x.T @ y
    w = np.full(x.shape[1], FLOOR)
    for _ in range(rounds):
        for i in range(len(w)):
            if normal[i, i] > 0:
                w[i] = max(FLOOR, w[i] + (right[i] - normal[i] @ w) / normal[i, i])
    return w


def predicted(x: np.ndarray, y: np.ndarray, names: np.ndarray) -> np.ndarray:
    """Each row's y from weights that were fitted without its photograph."""
    out, kinds = np.zeros(len(y)), np.unique(names)
    for part in range(FOLDS):
        held = np.isin(names, kinds[part::FOLDS])
        if held.any() and not held.all():
            out[held] = x[held] @ fit(x[~held], y[~held])
    return out


def collect(
    chosen: Sequence[Place], count: int, seed: int, path: Path, measure: Measure
) -> list[Judged]:
    """The rows of `path`, and those that it lacks of `count` crops, added to it as they come.

    Raises:
        InputError, ArgumentError: `path` cannot be read, or has rows of other crops.
    """
    rows = judged.read(path)
    judged.check(path, rows, chosen, seed)
    done = {row.crop for row in rows}
    for number in tqdm([n for n in range(count) if n not in done], unit="crop"):
        name, rgb = judged.crop_of(number, chosen, seed)
        rows += judged.judge(number, name, rgb, seed, measure)
        judged.write(path, rows)
    return [row for row in rows if row.crop < count]


def calibrate(rows: Sequence[Judged], chosen: Sequence[Place], seed: int) -> dict[str, object]:
    """The contents of the weights' file, with a card."""
    rows = [row for row in rows if seen(row) <= BEYOND]
    xs, names, dear = [], [], []
    for crop in tqdm(sorted({row.crop for row in rows}), unit="crop"):
        name, rgb = judged.crop_of(crop, chosen, seed)
        tokens = [row.tokens for row in rows if row.crop == crop]
        shares, sizes = told(rgb, tokens)
        xs.append(shares)
        dear.append(sizes / (rgb.shape[0] * rgb.shape[1]) ** 0.5)
        names += [name] * len(tokens)
    ordered = sorted(rows, key=lambda row: row.crop)
    x, y, who = np.concatenate(xs), np.array([seen(r) for r in ordered]), np.array(names)
    off = predicted(x, y, who) - y
    slope, start = np.polyfit(y, np.log(np.concatenate(dear)), 1)
    with open(DECODER, "rb") as f:
        decoder = hashlib.file_digest(f, "sha256").hexdigest()
    return {
        "about": "weights of what is left out of luma, finest scale first, and of chroma, in the "
        "error of a prefix: two parts DISTS, one part (100 - SSIMULACRA2) / 400",
        "weights": [round(float(v), 4) for v in fit(x, y)],
        "masking": MASKING,
        "usual": [round(float(start), 3), round(float(min(slope, 0.0)), 3)],
        "usual_is": "the logarithm of bytes for each pixel of the side: at no error, and its slope",
        "decoder": decoder,
        "photographs": len(set(names)),
        "prefixes": len(y),
        "rms_error": round(float(np.sqrt(np.mean(off**2))), 4),
        "rms_error_is": f"of photographs held out, in {FOLDS} parts",
    }
