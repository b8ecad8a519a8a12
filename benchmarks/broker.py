"""Pictures from a camera's folder through a real mosquitto that restarts in the middle, to files.

`tokcodec send --watch` and `tokcodec receive` run as they are, each in a process of its own; a row
every so many pictures stored says how long they took, and what memory all three hold.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import tokcodec
from benchmarks.mosquitto import Broker
from benchmarks.pictures import pictures
from benchmarks.stopwatch import megabytes
from benchmarks.tables import Cell, markdown, write_tsv
from tokcodec.errors import ArgumentError

OUT = Path(__file__).parent / "results" / "broker"
BYTES = 100  # of a stream
SIDE = 64  # pixels, the longer side
NUMBER = 4  # bytes at the end of each stream that make it different from all others
AWAY = 1.0  # seconds that the broker is gone
COLUMNS = ("stored", "seconds", "sender_mb", "receiver_mb", "broker_mb")


def streams(count: int) -> list[bytes]:
    """As many different streams: photographs of scikit-image, then a number. (Whatever follows a
    stream's header is a picture.)
    """
    found = []
    for load in pictures("scikit-image").values():
        image = load()
        image.thumbnail((SIDE, SIDE))
        found.append(tokcodec.encode(image, max_bytes=BYTES - NUMBER))
    return [found[i % len(found)] + i.to_bytes(NUMBER, "big") for i in range(count)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks broker`."""
    parser.add_argument("--pictures", type=int, default=10_000, help="(%(default)s)")
    parser.add_argument("--rows", type=int, default=20, help="(%(default)s)")
    parser.add_argument("--qos", type=int, default=1, choices=(0, 1, 2), help="(%(default)s)")
    parser.add_argument("--out", type=Path, default=OUT)


def run(args: argparse.Namespace) -> int:
    """Send them all, write the rows, say what was lost or doubled; 0 if nothing was."""
    if args.pictures < 2 or not 1 <= args.rows <= args.pictures:
        raise ArgumentError("--pictures is at least 2, --rows between 1 and that")
    sent = streams(args.pictures)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("broker", "camera", "stored"):
            (folder / part).mkdir()
        for number, data in enumerate(sent):
            (folder / "camera" / f"{number:06}.tkc").write_bytes(data)
        broker = Broker(folder / "broker")
        try:
            rows, lines = _transport(args, broker, folder)
        finally:
            broker.stop()
        stored = [path.read_bytes() for path in (folder / "stored").glob("*.tkc")]
    lost = len(set(sent) - set(stored))
    doubled = max(len(stored), lines) - len(set(stored))
    strange = len(set(stored) - set(sent))
    write_tsv(args.out / f"qos{args.qos}.tsv", COLUMNS, rows)
    print(markdown(COLUMNS, rows))
    print(f"{len(sent)} sent, {len(stored)} stored: {lost} lost, {doubled} doubled, "
          f"{strange} strange")  # fmt: skip
    return 1 if lost or doubled or strange else 0


def _transport(
    args: argparse.Namespace, broker: Broker, folder: Path
) -> tuple[list[list[Cell]], int]:
    """Rows of COLUMNS, and how many pictures the receiver said that it stored."""
    topic, rows = f"{broker.address}/cameras/gate", []
    receive = ["receive", "--from", topic, "--out", str(folder / "stored"), "--qos", str(args.qos),
               "--count", str(args.pictures)]  # fmt: skip
    send = ["send", "--watch", str(folder / "camera"), "--once", "--settle", "0", "--to", topic,
            "--qos", str(args.qos)]  # fmt: skip
    with _command(receive) as receiver, (folder / "sent").open("w") as log:
        time.sleep(5 * AWAY)  # it has to be known to the broker before the first picture comes
        with _command(send, log) as sender:
            start, count, step = time.monotonic(), 0, args.pictures // args.rows
            for _ in receiver.stdout:  # type: ignore[union-attr]
                count += 1
                if count % step == 0 or count == args.pictures:
                    took = time.monotonic() - start
                    pids = sender.pid, receiver.pid, broker.pid
                    rows.append([count, round(took, 2), *(_resident(p) for p in pids)])
                if count == args.pictures // 2:
                    broker.stop()
                    time.sleep(AWAY)
                    broker.start()
    return rows, count


def _command(arguments: list[str], out: object = subprocess.PIPE) -> subprocess.Popen:
    root = Path(__file__).parent.parent
    return subprocess.Popen(
        [sys.executable, "-m", "tokcodec", *arguments],
        stdout=out,
        cwd=root,
        text=True,  # type: ignore[call-overload]
    )


def _resident(pid: int | None) -> float | None:
    """Resident memory of a process, in 10^6 bytes; None where the system does not tell."""
    found = megabytes("VmRSS", pid)
    return None if found is None else round(found, 1)
