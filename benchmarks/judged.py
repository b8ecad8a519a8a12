"""Photographs to rows of what people would see in prefixes of their streams: DISTS, SSIMULACRA2 and
PSNR by number of tokens.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from PIL import Image

import tokcodec
from tokcodec.errors import ArgumentError, InputError
from tokcodec.files import write_atomically
from tokcodec.tokens.order import order_for
from tokcodec.tokens.tokens import DIGITS
from tokcodec.train.images.files import Place, photograph, places

# Shapes (height, width) of one round of crops: small ones cost little, large ones much.
ROUND = ((256, 256), (128, 120), (256, 256), (64, 96), (256, 256), (160, 160), (320, 448))
PREFIXES = 3  # of each crop, one in each third of the range below
MIN_TOKENS = 16  # tokens of the shortest prefix, in a picture of 256 x 256 pixels; as the side
MAX_TOKENS_PER_PIXEL = 0.3  # tokens a pixel of the longest
GREY = 0.08  # share of crops without colour
NAMES = "surrogateescape"  # names of photographs need not be UTF-8

Measure = Callable[[str, np.ndarray, np.ndarray], float | None]


class Judged(NamedTuple):
    """A prefix of a crop's stream, and how far it is from the original.

    Attributes:
        crop: number of the crop; `crop_of` makes it again.
        tokens: in the prefix.
        bytes: of its stream, header included.
        dists, ssimulacra2, psnr: of the default decoder's picture; not a number where the crop is
            too small for SSIMULACRA2.
        seed: of the crops.
        photograph: the name of the one that the crop was cut from.
    """

    crop: int
    tokens: int
    bytes: int
    dists: float
    ssimulacra2: float
    psnr: float
    seed: int
    photograph: str


def sources(paths: Sequence[Path]) -> list[Place]:
    """The photographs kept from training decoders, which draw too well what they were trained on.

    Raises:
        InputError: there are none.
    """
    found = [p for p in places(paths) if p.held_out]
    if not found:
        raise InputError("none of the photographs is among those kept from training; give more")
    return found


def crop_of(number: int, chosen: Sequence[Place], seed: int) -> tuple[str, np.ndarray]:
    """Crop `number`: the name of its photograph, and uint8 (height, width, 3).

    The photographs are gone through in turn, those that are too small for the shape passed over.
    """
    height, width = ROUND[number % len(ROUND)]
    rng = np.random.default_rng([seed, number])
    for step in range(len(chosen)):
        place = chosen[(37 * number + step) % len(chosen)]
        image = photograph(place)
        if image is None or image.height < height or image.width < width:
            continue
        most = min(image.height / height, image.width / width)
        scale = float(np.exp(rng.uniform(0, np.log(most))))
        w, h = min(image.width, width * scale), min(image.height, height * scale)
        x, y = rng.uniform(0, image.width - w), rng.uniform(0, image.height - h)
        box = (x, y, x + w, y + h)
        rgb = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS, box))
        if rng.random() < GREY:
            rgb = rgb[..., 1:2].repeat(3, -1)
        return place.name, rgb
    raise InputError(f"none of the photographs has {width} x {height} pixels")


def prefixes(rgb: np.ndarray, most: int, rng: np.random.Generator) -> list[int]:
    """Tokens to look at, evenly spread on a logarithmic scale; at most `most`."""
    pixels = rgb.shape[0] * rgb.shape[1]
    low, high = np.log(MIN_TOKENS * pixels**0.5 / 256), np.log(MAX_TOKENS_PER_PIXEL * pixels)
    parts = low + (high - low) * (np.arange(PREFIXES) + rng.random(PREFIXES)) / PREFIXES
    return [min(most, int(n)) for n in np.exp(parts)]


def judge(number: int, name: str, rgb: np.ndarray, seed: int, measure: Measure) -> Iterator[Judged]:
    """Measure some prefixes of a crop; number, photograph's name and pixels as of `crop_of`."""
    codec = cast(tokcodec.Codec, tokcodec.load())  # the default is a pyramid
    order = order_for(codec.model, rgb.shape[0], rgb.shape[1], 3)
    rng = np.random.default_rng([seed, number, 1])
    for tokens in prefixes(rgb, order.digits // DIGITS, rng):
        data = codec.encode(rgb, budget=tokens)
        shown = np.asarray(codec.decode(data))
        dists, others = measure("dists", rgb, shown), ("ssimulacra2", "psnr")
        if dists is None:
            raise ArgumentError("DISTS cannot be measured here; see the warnings")
        found = (measure(m, rgb, shown) for m in others)
        ssimulacra2, psnr = (float("nan") if v is None else v for v in found)
        yield Judged(number, tokens, len(data), dists, ssimulacra2, psnr, seed, name)


def read(path: Path) -> list[Judged]:
    """The rows of a file; none if it is not there.

    Raises:
        InputError: it cannot be read, holds something else, or rows of an earlier version, which do
            not say what the crops were cut from.
    """
    if not path.exists():
        return []
    try:
        with open(path, newline="", encoding="utf-8", errors=NAMES) as f:
            table = list(csv.reader(f, delimiter="\t"))
        if tuple(table[0]) == Judged._fields[:-2]:
            raise ValueError("they do not say what the crops were cut from; begin another file")
        if tuple(table[0]) != Judged._fields:
            raise ValueError("other columns")
        return [_judged(*row) for row in table[1:]]
    except (OSError, ValueError, IndexError, TypeError, csv.Error) as e:
        raise InputError(f"{path} holds no rows of judged prefixes: {e}") from e


def _judged(
    crop: str, tokens: str, size: str, dists: str, other: str, psnr: str, seed: str, name: str
) -> Judged:
    whole = int(crop), int(tokens), int(size)
    return Judged(*whole, float(dists), float(other), float(psnr), int(seed), name)


def write(path: Path, rows: Sequence[Judged]) -> None:
    """Write rows; the file is whole or as it was before."""
    out = io.StringIO(newline="")
    table = csv.writer(out, delimiter="\t", lineterminator="\n")  # it knows what to quote in names
    table.writerow(Judged._fields)
    table.writerows([f"{v:.6g}" if isinstance(v, float) else v for v in row] for row in rows)
    write_atomically(path, out.getvalue().encode("utf-8", NAMES), overwrite=True)


def check(path: Path, rows: Sequence[Judged], chosen: Sequence[Place], seed: int) -> None:
    """Raise ArgumentError unless rows of a file are of the crops that `crop_of` gives now."""
    cut = {row.crop: (row.photograph, row.seed) for row in rows}
    for crop, (name, with_seed) in sorted(cut.items()):
        now = crop_of(crop, chosen, seed)[0] if seed == with_seed else name
        if (name, with_seed) != (now, seed):
            raise ArgumentError(
                f"{path}: crop {crop} was cut from {name!r} with seed {with_seed}, and would now "
                f"be from {now!r} with seed {seed}: give the images and the seed that it began "
                "with, or another file of rows"
            )
