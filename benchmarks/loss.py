"""Pictures across links that lose packets: PSNR and share shown, at the same bytes on the wire."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from tqdm import tqdm

import tokcodec
from benchmarks import restart
from benchmarks.codecs.jpeg import make as make_jpeg
from benchmarks.codecs.webp import WebP
from benchmarks.codecs.webp import make as make_webp
from benchmarks.loss_plot import plot
from benchmarks.pictures import SETS, pictures, set_name
from benchmarks.restart import Packed
from benchmarks.search import winners
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec import link
from tokcodec.errors import ArgumentError
from tokcodec.files import write_atomically
from tokcodec.link.packet import room
from tokcodec.psnr import psnr

OUT = Path(__file__).parent / "results" / "loss"
LOSSES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.6)
BURST = 3.0  # packets
TOGETHER = 4  # pictures
CHECK = "crc8"  # WebP's packets have the same header and check
COLUMNS = (
    "picture", "way", "version", "channel", "loss", "mtu", "packets", "trials", "psnr", "shown",
)  # fmt: skip

Shown = Callable[[np.ndarray], tuple[float, bool]]
"""Which packets arrive, bool (packets,), to PSNR, and whether there is a picture at all. Where
there is none, mid-grey is compared: what both ends know without any packet."""


class Sent(NamedTuple):
    """A picture on its way: `way` as in tables."""

    way: str
    version: str
    shown: Shown


class Views:
    """A picture and the PSNR of what stands for it, each decoded once."""

    def __init__(self, image: Image.Image) -> None:
        self.original = np.asarray(image)
        self.nothing = psnr(np.full_like(self.original, 128), self.original)
        self._known: dict[bytes, float] = {}

    def of(self, data: bytes) -> float:
        """PSNR of a stream, by the linear decoder."""
        if data not in self._known:
            shown = tokcodec.decode(data, decoder="linear", max_pixels=None)
            self._known[data] = psnr(np.asarray(shown), self.original)
        return self._known[data]


def ours(
    stream: bytes, views: Views, protect: str, mtu: int, count: int, loss: link.Channel
) -> Sent:
    """A long stream in so many packets; the sender knows its picture and the link's numbers."""
    packets = link.split(
        stream, mtu, protect=protect, check=CHECK, packets=count, loss=loss, original=views.original
    )
    header = tokcodec.info(stream, count=False).header_bytes
    known: dict[int, tuple[float, bool]] = {}

    def shown(arrived: np.ndarray) -> tuple[float, bool]:
        # What the stream's prefix depends on: all before the first that is missing, or any.
        mine = arrived[: len(packets)]
        key = int(np.append(mine, False).argmin()) if protect == "none" else int(mine.sum())
        if key not in known:
            receiver = link.Receiver(CHECK)
            for packet, here in zip(packets, arrived, strict=False):
                if here:
                    receiver.add(packet)
            data = receiver.data()
            there = len(data) > header
            known[key] = (views.of(data), True) if there else (views.nothing, False)
        return known[key]

    model = tokcodec.load().model.id[:8]
    version = f"tokcodec {tokcodec.__version__}, model {model}, linear"
    return Sent(f"tokcodec, {protect}", version, shown)


def webp_files(codec: WebP, image: Image.Image, count: int, size: int) -> list[float | None]:
    """PSNR of the best WebP file that fits into 1 ... `count` bodies of `size` bytes, if any."""
    found = winners(codec, image, [size * n for n in range(1, count + 1)], {"psnr": psnr})
    scores = [found[size * n, "psnr"] for n in range(1, count + 1)]
    return [None if f is None else float(f.score) for f in scores]


def theirs(
    version: str,
    files: list[float | None],
    views: Views,
    protect: str,
    count: int,
    loss: link.Channel,
) -> Sent:
    """WebP in packets, all or nothing, at the size that is best on average for this link.

    Without protection a file takes as few packets as it needs, and needs them all; with it, any k
    of all packets give a file of k bodies (Reed-Solomon without a byte of overhead).
    """
    received = loss.received(count)
    chances = [
        float(loss.received(n)[n]) if protect == "none" else float(received[n:].sum())
        for n in range(1, count + 1)
    ]
    values = [
        -np.inf if f is None else p * f + (1 - p) * views.nothing
        for f, p in zip(files, chances, strict=True)
    ]
    best = int(np.argmax(values))
    score = files[best]

    def shown(arrived: np.ndarray) -> tuple[float, bool]:
        needed, here = best + 1, arrived[: best + 1] if protect == "none" else arrived
        there = score is not None and bool(here.sum() >= needed)
        return (score, True) if there and score is not None else (views.nothing, False)

    return Sent(f"WebP, {protect}", version, shown)


def restarting(version: str, packed: Packed | None, views: Views) -> Sent:
    """JPEG with restart markers: each packet shows its blocks, whatever becomes of the others."""
    size = views.original.shape[1], views.original.shape[0]
    known: dict[bytes, tuple[float, bool]] = {}

    def shown(arrived: np.ndarray) -> tuple[float, bool]:
        here = arrived[: packed.packets] if packed is not None else arrived[:0]
        if here.tobytes() not in known:
            seen = packed.shown(here, size) if packed is not None else None
            there = seen is not None
            score = psnr(views.original, seen) if seen is not None else views.nothing
            known[here.tobytes()] = score, there
        return known[here.tobytes()]

    return Sent("JPEG, restart markers", version, shown)


def channels(
    losses: list[float], burst: float, together: int
) -> dict[tuple[str, float], link.Channel]:
    """Links by the name of their kind and their loss. With pictures by turns, each meets every
    `together`-th step of the bursts.
    """
    bursts = {rate: link.bursty(rate, burst) for rate in losses}
    return {
        **{("independent", rate): link.independent(rate) for rate in losses},
        **{(f"bursts of {burst:g}", rate): loss for rate, loss in bursts.items()},
        **{
            (f"bursts of {burst:g}, {together} pictures by turns", rate): loss.every(together)
            for rate, loss in bursts.items()
        },
    }


def rows_of(
    name: str, image: Image.Image, codec: WebP, mtu: int, count: int, trials: int, seed: int,
    links: dict[tuple[str, float], link.Channel],
) -> list[list[Cell]]:  # fmt: skip
    """Rows of COLUMNS for one picture; all ways meet the same losses."""
    views, size = Views(image), room(mtu, CHECK)
    stream = tokcodec.encode(image, max_bytes=count * size + 8, max_pixels=None)
    files, packed = webp_files(codec, image, count, size), restart.pack(image, count, size)
    rows: list[list[Cell]] = []
    for number, ((kind, rate), loss) in enumerate(links.items()):
        random = np.random.default_rng([seed, number, *name.encode()])
        draws = [loss.draw(count, random) for _ in range(trials)]
        sent = [ours(stream, views, p, mtu, count, loss) for p in ("priority", "equal", "none")]
        sent += [theirs(codec.version, files, views, p, count, loss) for p in ("equal", "none")]
        sent.append(restarting(make_jpeg().version, packed, views))
        for way, version, shown in sent:
            seen = [shown(arrived) for arrived in draws]
            score, share = np.mean([s for s, _ in seen]), np.mean([there for _, there in seen])
            rows.append([name, way, version, kind, rate, mtu, count, trials,
                         float(score), float(share)])  # fmt: skip
    return rows


def table(rows: list[list[Cell]], kind: str) -> str:
    """Markdown: a line a way, a column a loss; mean PSNR and the share of pictures shown."""
    at = {name: i for i, name in enumerate(COLUMNS)}
    mine = [row for row in rows if row[at["channel"]] == kind]
    losses = list(dict.fromkeys(row[at["loss"]] for row in mine))
    lines: list[list[Cell]] = []
    for way in dict.fromkeys(row[at["way"]] for row in mine):
        line: list[Cell] = [way]
        for rate in losses:
            same = [row for row in mine if row[at["way"]] == way and row[at["loss"]] == rate]
            score, share = (np.mean([row[at[c]] for row in same]) for c in ("psnr", "shown"))  # type: ignore[arg-type]
            line.append(f"{score:.2f} dB, {share:.2%}")
        lines.append(line)
    return markdown([kind, *(f"{rate:.0%} lost" for rate in losses)], lines)  # type: ignore[str-format]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks loss`."""
    parser.add_argument("--images", default="kodak256", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--mtu", type=int, default=51, help="bytes of a packet (%(default)s)")
    parser.add_argument("--packets", type=int, default=20, help="a picture (%(default)s)")
    parser.add_argument("--losses", type=float, nargs="+", default=list(LOSSES))
    parser.add_argument("--burst", type=float, default=BURST, help="mean, packets (%(default)s)")
    parser.add_argument("--together", type=int, default=TOGETHER,
                        help="pictures whose packets take turns (%(default)s)")  # fmt: skip
    parser.add_argument("--trials", type=int, default=200, help="a picture and link (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--plot", type=Path, metavar="SVG", help="draw the rows, too")


def run(args: argparse.Namespace) -> int:
    """Measure, write the rows, print a table a kind of loss; 0."""
    named = set_name(args.images, args.out, OUT)
    if not 1 <= args.packets <= 255 or min(args.trials, args.together) < 1:
        raise ArgumentError("--packets lies in 1..255, --trials and --together are at least 1")
    links, codec, rows = channels(args.losses, args.burst, args.together), make_webp(), []
    loaders = pictures(args.images)
    for name, load in tqdm(loaders.items(), disable=not sys.stderr.isatty(), unit="picture"):
        rows += rows_of(name, load(), codec, args.mtu, args.packets, args.trials, args.seed, links)
    write_tsv(args.out / f"{named}.tsv", COLUMNS, rows)
    if args.plot:
        write_atomically(args.plot, plot(COLUMNS, rows), overwrite=True)
    print(
        f"{len(loaders)} pictures, {args.trials} trials, {args.packets} packets of at most "
        f"{args.mtu} bytes\n"
    )
    for kind in dict.fromkeys(kind for kind, _ in links):
        print(table(rows, kind))
    return 0
