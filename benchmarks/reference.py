"""Sequences of similar pictures: bytes a picture at equal PSNR, alone and with each kind of
reference; or PSNR at equal bytes, with a first picture of so many bytes as the reference.

A sequence is a folder of pictures of one size, in the order of their names; "scikit-image" is a
fixed photograph with part of another one that moves across it, and noise.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import tokcodec
from benchmarks.pictures import pictures, set_name
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec import link
from tokcodec.errors import ArgumentError, InputError
from tokcodec.psnr import psnr
from tokcodec.reference import Given

OUT = Path(__file__).parent / "results" / "reference"
TARGETS = (26.0, 30.0)  # dB
SIDE = 320  # longer side
START = 5  # pictures that the background is made of; all that follow are counted
FRAMES, NOISE = 12, 2.0  # of the sequence made here; standard deviation, grey levels
MODES = ("alone", "first", "previous", "background")
COLUMNS = ("sequence", "model", "target", "mode", "frame", "bytes", "linear_db", "auto_db")
AT = {name: i for i, name in enumerate(COLUMNS)}
KEYS = (222, 1000)  # bytes of the first picture, where those after it have so many
IN_BYTES = ("sequence", "model", "limit", "key", "frame", "bytes", "linear_db", "auto_db")

Frames = list[np.ndarray]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks reference`."""
    parser.add_argument(
        "sequences", nargs="*", default=["scikit-image"], help="folders, or scikit-image"
    )
    parser.add_argument(
        "--psnr", type=float, nargs="+", help=f"dB to reach (default {TARGETS[0]} and {TARGETS[1]})"
    )
    parser.add_argument(
        "--bytes",
        type=int,
        nargs="+",
        help="of a packet, instead: one a picture, decibels measured",
    )
    parser.add_argument(
        "--key", type=int, nargs="+", default=list(KEYS),
        help="with --bytes: of the first picture, the reference of all others",
    )  # fmt: skip
    parser.add_argument("--side", type=int, default=SIDE, help="longer side, pixels")
    parser.add_argument("--model", default="default", help="name or file of a model")
    parser.add_argument("--out", type=Path, default=OUT)


def run(args: argparse.Namespace) -> int:
    """Measure, write a TSV a sequence, and print means; 0."""
    if args.bytes and args.psnr:
        raise ArgumentError("either --bytes or --psnr is given")
    if min([*(args.bytes or [1]), *args.key]) < 1:
        raise ArgumentError("--bytes and --key are above 0")
    rows: list[list[Cell]] = []
    labels = {name: set_name(name, args.out, OUT) for name in args.sequences}
    for name, label in labels.items():
        frames = made(args.side) if name == "scikit-image" else read(Path(name), args.side)
        if args.bytes:
            found = [
                r for n in args.bytes for r in in_bytes(label, frames, n, args.key, args.model)
            ]
            write_tsv(args.out / f"{label}-bytes.tsv", IN_BYTES, found)
            rows += found
            continue
        found = [
            row for goal in args.psnr or TARGETS for row in measure(label, frames, goal, args.model)
        ]
        write_tsv(args.out / f"{label}.tsv", COLUMNS, found)
        rows += found
    print(shown_in_bytes(rows) if args.bytes else shown(rows))
    return 0


def read(folder: Path, side: int) -> Frames:
    """The pictures of a folder, by name, longer side at most `side`.

    Raises:
        InputError: they differ in size, or are not more than the background needs.
    """
    frames = [_thumbnail(load(), side) for load in pictures(str(folder)).values()]
    if len(frames) <= START or len({f.shape for f in frames}) > 1:
        raise InputError(f"{folder}: a sequence is more than {START} pictures of one size")
    return frames


def made(side: int) -> Frames:
    """A photograph that stays, part of another that moves across it, and noise: always the same."""
    loaders = pictures("scikit-image")
    scene = _thumbnail(loaders["coffee"](), side)
    cat = _thumbnail(loaders["chelsea"](), side)[10:70, 60:130]
    rng = np.random.default_rng(0)
    frames = []
    for i in range(FRAMES):
        frame = scene.astype(np.float64)
        x = (scene.shape[1] - cat.shape[1]) * i // (FRAMES - 1)
        frame[-cat.shape[0] :, x : x + cat.shape[1]] = cat
        frame += rng.normal(0, NOISE, frame.shape)
        frames.append(np.clip(np.rint(frame), 0, 255).astype(np.uint8))
    return frames


def _thumbnail(image: Image.Image, side: int) -> np.ndarray:
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image.convert("RGB"))


def measure(name: str, frames: Frames, target: float, model: str) -> Iterator[list[Cell]]:
    """A row for each mode and each picture after the first `START`."""
    alone = [tokcodec.encode(f, psnr=target, model=model) for f in frames]
    background = tokcodec.background(alone[:START])
    chain = alone[:START]
    for i in range(START, len(frames)):
        references: dict[str, Given | None] = {
            "alone": None,
            "first": alone[0],
            "previous": chain,
            "background": background,
        }
        identity = tokcodec.info(alone[0], count=False).model_id[:8]
        for mode, reference in references.items():
            data = alone[i]
            if reference is not None:
                data = tokcodec.encode(frames[i], psnr=target, model=model, reference=reference)
            reached: list[Cell] = []
            for decoder in ("linear", "auto"):
                drawn = tokcodec.decode(data, decoder=decoder, reference=reference)
                reached.append(float(psnr(np.asarray(drawn), frames[i])))
            yield [name, identity, target, mode, i, len(data), *reached]
            if mode == "previous":
                chain = [*chain, data]


def in_bytes(
    name: str, frames: Frames, limit: int, keys: list[int], model: str
) -> Iterator[list[Cell]]:
    """A row for each picture after the first, as it arrives in one packet of at most so many bytes:
    alone (key 0), then with each key as reference.
    """
    given = {0: None} | {n: tokcodec.encode(frames[0], max_bytes=n, model=model) for n in keys}
    for i, frame in enumerate(frames[1:], 1):
        for key, reference in given.items():
            more = {} if reference is None else {"reference": reference}
            data = received(tokcodec.encode(frame, max_bytes=2 * limit, model=model, **more), limit)
            identity = tokcodec.info(data, count=False).model_id[:8]
            reached: list[Cell] = [
                float(psnr(np.asarray(tokcodec.decode(data, decoder=d, **more)), frame))
                for d in ("linear", "auto")
            ]
            yield [name, identity, limit, key, i, len(data), *reached]


def received(stream: bytes, mtu: int) -> bytes:
    """What one packet of at most `mtu` bytes says of a stream."""
    receiver = link.Receiver(check="none")
    for packet in link.split(stream, mtu, protect="none", check="none", packets=1):
        receiver.add(packet)
    return receiver.data() or b""


def shown_in_bytes(rows: list[list[Cell]]) -> str:
    """Mean PSNR of a picture, linear decoder, alone and with each key."""
    keys = list(dict.fromkeys(row[3] for row in rows))
    table: list[list[Cell]] = []
    for name, limit in dict.fromkeys((row[0], row[2]) for row in rows):
        line: list[Cell] = [name, limit]
        for key in keys:
            found = [row[6] for row in rows if (row[0], row[2], row[3]) == (name, limit, key)]
            line.append(f"{np.mean(found):.2f}")  # type: ignore[arg-type]
        table.append(line)
    columns = ["sequence", "bytes", "alone", *(f"first in {key} bytes" for key in keys if key)]
    return markdown(columns, table)


def shown(rows: list[list[Cell]]) -> str:
    """Mean bytes of a picture, and the change that each kind of reference brings."""
    table: list[list[Cell]] = []
    for name, target in dict.fromkeys((row[AT["sequence"]], row[AT["target"]]) for row in rows):
        line: list[Cell] = [name, target]
        here = [row for row in rows if (row[AT["sequence"]], row[AT["target"]]) == (name, target)]
        alone = _mean(here, "alone", "bytes")
        for mode in MODES:
            bytes_ = _mean(here, mode, "bytes")
            change = "" if mode == "alone" else f" ({100 * (bytes_ / alone - 1):+.0f} %)"
            line.append(f"{bytes_:,.0f}{change}")
        line += [f"{_mean(here, m, 'auto_db'):.2f}" for m in ("alone", "previous")]
        table.append(line)
    columns = ("sequence", "dB", *MODES, "network, alone", "network, previous")
    return markdown(columns, table)


def _mean(rows: list[list[Cell]], mode: str, column: str) -> float:
    found = [row[AT[column]] for row in rows if row[AT["mode"]] == mode]
    return float(np.mean(found))  # type: ignore[arg-type]
