"""Packets of `tokcodec.link`: what they cost a picture, what damage their checks miss, and what a
flood of strange ones does to a receiver.
"""

from __future__ import annotations

import argparse
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import tokcodec
from benchmarks.pictures import SETS, pictures, set_name
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec import link
from tokcodec.link import packet as packets_of
from tokcodec.link import protection

OUT = Path(__file__).parent / "results" / "packets"
TABLES = ("costs", "damage", "flood")
MTUS = (51, 222, 1200)
WIRE = 2048  # bytes of a picture's packets, about
LOSS = 0.1
FLOOD_CHECK = "crc16"  # of 25,000 damaged packets CRC-8 would let a hundred pass
LIMIT = 4 << 20  # bytes that the receiver may keep
CHECKS = ("none", "crc8", "crc16")
COSTS = (
    "mtu", "protect", "loss", "pictures", "packets", "wire", "headers", "checks", "protection",
    "stream", "share",
)  # fmt: skip
DAMAGE = ("damage", "check", "trials", "passed", "share", "to_its_picture")
FLOOD = (
    "flood", "packets", "new", "duplicate", "damaged", "full", "raised", "pictures", "peak_mb",
    "limit_mb", "intact",
)  # fmt: skip

Damager = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def costs(images: list[Image.Image]) -> list[list[Cell]]:
    """Rows of COSTS: means a picture, in bytes. `protection` is all that is neither header nor
    check nor stream: parity, and the filling of the last packets.
    """
    streams = [tokcodec.encode(image, max_bytes=WIRE + 64) for image in images]
    rows: list[list[Cell]] = []
    for mtu in MTUS:
        for protect in ("none", "priority", "equal"):
            found = []
            for stream, image in zip(streams, images, strict=True):
                count = max(2, round(WIRE / mtu))
                packets = link.split(stream, mtu, protect=protect, packets=count, original=image,
                                     loss=link.independent(LOSS))  # fmt: skip
                receiver = link.Receiver()
                for packet in packets:
                    receiver.add(packet)
                wire = sum(map(len, packets))
                head, checks = packets_of.HEADER * len(packets), len(packets)
                shown = len(receiver.data()) - 4  # as it travels: see docs/FORMAT.md
                found.append(
                    [len(packets), wire, head, checks, wire - head - checks - shown, shown]
                )
            means = np.mean(found, 0).tolist()
            rows.append([mtu, protect, LOSS, len(images), *means, means[-1] / means[1]])
    return rows


def flipped(bits: int) -> Damager:
    """So many bits, anywhere."""

    def damage(random: np.random.Generator, data: np.ndarray) -> np.ndarray:
        places = random.choice(8 * len(data), bits, replace=False)
        out = np.unpackbits(data)
        out[places] ^= 1
        return np.packbits(out)

    return damage


def burst(length: int) -> Damager:
    """A run of so many bits, its ends wrong and those between by chance."""

    def damage(random: np.random.Generator, data: np.ndarray) -> np.ndarray:
        out, at = np.unpackbits(data), random.integers(8 * len(data) - length + 1)
        wrong = random.integers(0, 2, length, dtype=np.uint8)
        wrong[[0, -1]] = 1
        out[at : at + length] ^= wrong
        return np.packbits(out)

    return damage


def noise(random: np.random.Generator, data: np.ndarray) -> np.ndarray:
    """Random bytes of the same number."""
    return random.integers(0, 256, len(data), dtype=np.uint8)


DAMAGERS: dict[str, Damager] = {
    "1 bit": flipped(1),
    "4 bits": flipped(4),
    "burst of 8 bits": burst(8),
    "burst of 24 bits": burst(24),
    "random bytes": noise,
}


def misses(stream: bytes, trials: int, seed: int) -> list[list[Cell]]:
    """Rows of DAMAGE: how many damaged packets pass as packets, and how many of those would go to
    the picture that they are of.
    """
    rows: list[list[Cell]] = []
    for name, damage in DAMAGERS.items():
        for check in CHECKS:
            random = np.random.default_rng([seed, *name.encode()])
            packets = link.split(stream, 51, packets=10, picture=7, check=check)
            good = [np.frombuffer(p, np.uint8) for p in packets]
            keys = {_key(p, check) for p in packets}
            passed = own = 0
            for trial in range(trials):
                data = damage(random, good[trial % len(good)]).tobytes()
                key = _key(data, check)
                passed += key is not None
                own += key in keys
            rows.append([name, check, trials, passed, passed / trials, own])
    return rows


def _key(data: bytes, check: str) -> tuple[int, int, int, int] | None:
    """The picture that a packet belongs to; None if a receiver drops it."""
    found = packets_of.read(data, check)
    if found is None or not protection.possible(found.scheme, found.count):
        return None
    return found.picture, found.scheme, found.count, len(found.body)


def flood(stream: bytes, count: int, seed: int) -> list[list[Cell]]:
    """Rows of FLOOD, one a kind of flood, each into a receiver of its own.

    "beginnings": half are single packets of pictures that never go on, a quarter random bytes, a
    quarter damaged packets of an honest picture. Two packets of that came before, the others come
    all along: it must not suffer. "pictures": packets of pictures as large as there can be.
    """
    honest = link.split(stream, 51, packets=20, picture=7, check=FLOOD_CHECK)
    return [
        _flooded("beginnings", count, _beginnings(np.random.default_rng(seed), honest), honest),
        _flooded("pictures", count, _pictures(np.random.default_rng(seed)), []),
    ]


def _flooded(kind: str, count: int, strange: Iterator[bytes], honest: list[bytes]) -> list[Cell]:
    tracemalloc.start()
    receiver, verdicts, raised = link.Receiver(FLOOD_CHECK, max_bytes=LIMIT), Counter[str](), 0
    before = tracemalloc.get_traced_memory()[0]
    places = {0, 1, *np.linspace(2, count - 1, max(0, len(honest) - 2)).astype(int).tolist()}
    waiting = list(honest)
    for number in range(count):
        data = waiting.pop(0) if waiting and number in places else next(strange)
        try:
            verdicts[receiver.add(data).verdict] += 1
        except Exception:
            raised += 1
    peak = (tracemalloc.get_traced_memory()[1] - before) / 1e6
    tracemalloc.stop()
    alone = link.Receiver(FLOOD_CHECK)
    for data in honest:
        alone.add(data)
    intact = int(receiver.data(7) == alone.data()) if honest else None
    kinds = [verdicts[verdict] for verdict in ("new", "duplicate", "damaged", "full")]
    return [kind, count, *kinds, raised, len(receiver.pictures()), peak, LIMIT / 1e6, intact]


def _beginnings(random: np.random.Generator, honest: list[bytes]) -> Iterator[bytes]:
    while True:
        kind = random.integers(4)
        if kind == 0:
            yield random.bytes(int(random.integers(1, 1500)))
        elif kind == 1:
            base = np.frombuffer(honest[random.integers(len(honest))], np.uint8)
            yield flipped(int(random.integers(1, 20)))(random, base).tobytes()
        else:
            picture, scheme = int(random.integers(128)), int(random.integers(protection.CURVES + 1))
            count = int(random.integers(1, 256))
            yield _packet(random, picture, scheme, int(random.integers(count)), count)


def _pictures(random: np.random.Generator) -> Iterator[bytes]:
    while True:
        picture, scheme = int(random.integers(128)), int(random.integers(protection.CURVES + 1))
        for index in range(255):
            yield _packet(random, picture, scheme, index, 255)


def _packet(
    random: np.random.Generator, picture: int, scheme: int, index: int, count: int
) -> bytes:
    body = random.bytes(1200)
    return packets_of.write(packets_of.Packet(picture, scheme, index, count, body), FLOOD_CHECK)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks packets`."""
    parser.add_argument("--images", default="scikit-image", help=f"{', '.join(SETS)}, or a folder")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--trials", type=int, default=200_000, help="a damage (%(default)s)")
    parser.add_argument("--flood", type=int, default=100_000, help="packets (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=OUT)


def run(args: argparse.Namespace) -> int:
    """Measure, write three files of rows and print them; 0."""
    named = set_name(args.images, args.out, OUT)
    images = [load() for load in pictures(args.images).values()]
    stream = tokcodec.encode(images[0], max_bytes=600)
    tables = {
        "costs": (COSTS, lambda: costs(images)),
        "damage": (DAMAGE, lambda: misses(stream, args.trials, args.seed)),
        "flood": (FLOOD, lambda: flood(stream, args.flood, args.seed)),
    }
    for name in args.tables:
        columns, make = tables[name]
        rows = make()
        write_tsv(args.out / f"{name}-{named}.tsv", columns, rows)
        print(markdown(columns, rows))
    return 0
