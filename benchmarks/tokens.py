"""What is tokcodec's own: bytes a token, what a cut loses, and pictures large and strange."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import tokcodec
from benchmarks.pictures import SETS, pictures, set_name
from benchmarks.scenes import scenes
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec.coder import codestring
from tokcodec.errors import TokCodecError
from tokcodec.model import TOTAL_BITS
from tokcodec.psnr import psnr
from tokcodec.tokens.picture import source_of
from tokcodec.tokens.tokens import DIGITS

OUT = Path(__file__).parent / "results" / "tokens"
BUDGETS = (32, 128, 512, 2048)
CUT_PICTURES, CUT_BYTES = 20, 128
LARGE_BITS = 0.1  # a pixel

Rows = list[list[Cell]]


class WrongToken(TokCodecError):
    """A prefix gave a token that is not the picture's: the promise is broken."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks tokens`."""
    parser.add_argument("--images", default="scikit-image", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--out", type=Path, default=OUT)


def run(args: argparse.Namespace) -> int:
    """Measure, write a TSV a part, and print the means; 0.

    Raises:
        WrongToken: a prefix gave a wrong token.
    """
    named = set_name(args.images, args.out, OUT)
    images = {name: load() for name, load in pictures(args.images).items()}
    for part in args.only:
        columns, rows, shown = PARTS[part](images)
        write_tsv(args.out / f"{part}-{named}.tsv", columns, rows)
        print(shown)
    return 0


def budgets(images: dict[str, Image.Image]) -> tuple[tuple[str, ...], Rows, str]:
    """Bytes and decibels by budget."""
    rows: Rows = []
    for name, image in images.items():
        for budget in BUDGETS:
            stream = tokcodec.encode(image, budget=budget)
            rows.append([name, budget, len(stream), _psnr(stream, image)])
    means: Rows = [
        [b, *(float(np.mean([r[i] for r in rows if r[1] == b])) for i in (2, 3))]  # type: ignore[misc]
        for b in BUDGETS
    ]
    table = markdown(("budget, tokens", "mean bytes", "mean dB"), means)
    return ("image", "budget", "bytes", "psnr"), rows, table


def prefixes(images: dict[str, Image.Image]) -> tuple[tuple[str, ...], Rows, str]:
    """Tokens lost at each cut, against the information bound: the digits that ideal codes of so
    many bytes could hold. Every prefix is decoded and compared with the truth.
    """
    rows: Rows = []
    for name, image in list(images.items())[:CUT_PICTURES]:
        rows += _cuts(name, np.asarray(image))
    lost = np.array([r[4] for r in rows], float)
    early = np.array([r[4] for r in rows if int(r[1] or 0) <= CUT_BYTES // 2], float)
    shown = (
        f"{len(rows)} prefixes of {min(len(images), CUT_PICTURES)} streams, none with a wrong "
        f"token; tokens lost: {lost.mean():.2f} in the mean, {early.mean():.2f} in the first "
        f"{CUT_BYTES // 2} bytes, none in {np.mean(lost == 0):.0%}, {lost.max():.0f} at most\n"
    )
    columns = ("image", "bytes", "digits", "digits_at_best", "tokens_lost", "bits_unused")
    return columns, rows, shown


def _cuts(name: str, rgb: np.ndarray) -> Iterator[list[Cell]]:
    source = source_of(tokcodec.load().model, rgb)
    order, script = source.order, codestring.Script(source.order, source.digits)
    string = codestring.code(script, max_bytes=CUT_BYTES)
    bits: list[np.ndarray] = []
    digits: list[np.ndarray] = []
    for number in range(len(order.passes)):
        line = script.line(number)
        bits.append(TOTAL_BITS - np.log2(line.odds.frequencies[line.rows, line.digits + 1]))
        digits.append(line.digits)
        if sum(float(b.sum()) for b in bits) > 8 * CUT_BYTES + 64:
            break
    cost, truth = np.cumsum(np.concatenate(bits)), np.concatenate(digits)
    for n in range(len(string) + 1):
        read = codestring.read(order, string[:n], keep=True)
        if not np.array_equal(read.digits, truth[: read.total]):
            raise WrongToken(f"{name}: a prefix of {n} bytes gives a wrong token")
        could = int(np.searchsorted(cost, 8 * n, side="right"))
        unused = 8 * n - (float(cost[read.total - 1]) if read.total else 0.0)
        yield [name, n, read.total, could, could // DIGITS - read.total // DIGITS, unused]


def large(images: dict[str, Image.Image]) -> tuple[tuple[str, ...], Rows, str]:
    """12 and 100 megapixels and a strip, at a tenth of a bit a pixel."""
    rows: Rows = []
    for name, image in _large(list(images.values())):
        start = time.perf_counter()
        stream = tokcodec.encode(
            image, max_bytes=round(LARGE_BITS * image.width * image.height / 8), max_pixels=None
        )
        seconds = time.perf_counter() - start
        size = f"{image.width}x{image.height}"
        rows.append([name, size, len(stream), _psnr(stream, image), seconds])
    columns = ("picture", "size", "bytes", "psnr", "encode_seconds")
    return columns, rows, markdown(("picture", "size", "bytes", "dB", "encode, s"), rows)


def _large(photographs: list[Image.Image]) -> Iterator[tuple[str, Image.Image]]:
    mosaic = scenes(photographs, 4243)[0].crop((0, 0, 4243, 2828))
    yield "mosaic, 12 MP", mosaic
    yield (
        "enlarged photograph, 12 MP",
        photographs[0].resize((4243, 2828), Image.Resampling.LANCZOS),
    )
    yield "strip of the mosaic", mosaic.crop((0, 1000, 4000, 1030))
    yield "mosaic, 100 MP", scenes(photographs, 10000)[0]


def _psnr(stream: bytes, image: Image.Image) -> float:
    shown = tokcodec.decode(stream, decoder="linear", max_pixels=None)
    return psnr(np.asarray(shown), np.asarray(image))


Part = Callable[[dict[str, Image.Image]], tuple[tuple[str, ...], Rows, str]]
PARTS: dict[str, Part] = {f.__name__: f for f in (budgets, prefixes, large)}
