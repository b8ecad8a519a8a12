"""`tokcodec send`, `tokcodec receive` and `tokcodec serve`: their arguments.

What they need is imported when they run, as the other commands do without.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SCHEMES = "mqtt://host/topic, mqtts://user:password@host/topic, udp://host:5700, zenoh://host/key"
QOS = (0, 1, 2)
CHECKS = ("none", "crc8", "crc16")


def add_send_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec send`."""
    parser.add_argument("inputs", nargs="*", metavar="IMAGE", help="pictures, or streams (.tkc)")
    parser.add_argument("--to", required=True, metavar="ADDRESS", help=SCHEMES)
    parser.add_argument("--watch", type=Path, metavar="DIR", help="send what a camera puts there")
    parser.add_argument(
        "-m", "--max-bytes", type=int, help="a picture on the wire, at most (a message with its id)"
    )
    parser.add_argument("--psnr", type=float, help="decibels to reach (default without any limit)")
    _add_reference(parser, "a stream that the pictures resemble, and the receiver has")
    parser.add_argument(
        "--timeout", type=float, default=30.0, help="seconds for a picture (%(default)s)"
    )
    parser.add_argument("--qos", type=int, choices=QOS, default=1, help="MQTT (%(default)s)")
    watch = parser.add_argument_group("with --watch")
    watch.add_argument(
        "--spool", type=Path, metavar="FILE", help="default: DIR/.tokcodec-spool.sqlite"
    )
    watch.add_argument("--settle", type=float, default=2.0,
                       help="seconds that a finished file rests (%(default)s)")  # fmt: skip
    watch.add_argument("--once", action="store_true", help="stop when all that is there is sent")
    packets = parser.add_argument_group("over UDP")
    packets.add_argument("--mtu", type=int, default=1200, help="bytes of a packet (%(default)s)")
    packets.add_argument("--protect", choices=("priority", "equal", "none"), default="priority")
    packets.add_argument("--loss", type=float, default=0.1, help="expected, 0..1 (%(default)s)")
    packets.add_argument("--burst", type=float, help="losses in runs of so many packets on average")
    packets.add_argument("--together", type=int, default=1,
                         help="pictures whose packets take turns, against bursts (%(default)s)"
                         )  # fmt: skip
    packets.add_argument("--rate", type=float, help="bytes a second, at most")
    _add_packet_arguments(packets)


def add_receive_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec receive`."""
    parser.add_argument("--from", required=True, dest="source", metavar="ADDRESS", help=SCHEMES)
    parser.add_argument("-o", "--out", required=True, type=Path, metavar="DIR")
    parser.add_argument(
        "--suffix", default=".tkc", help="kind of file: streams as they come (.tkc), .png, .jpg ..."
    )
    parser.add_argument("--decoder", default="auto", help="for pictures, as in decode")
    _add_reference(parser, "for pictures, the stream that they were sent with")
    parser.add_argument("--count", type=int, help="stop after so many pictures")
    parser.add_argument("--qos", type=int, choices=QOS, default=1, help="MQTT (%(default)s)")
    parser.add_argument(
        "--name", help="of this receiver at the MQTT broker (default: one for this machine and DIR)"
    )
    parser.add_argument(
        "--listen", action="store_true", help="Zenoh: wait at ADDRESS for peers to connect"
    )
    _add_packet_arguments(parser.add_argument_group("over UDP"))


def _add_reference(parser: argparse.ArgumentParser, help: str) -> None:
    parser.add_argument("--reference", action="append", default=[], metavar="STREAM",
                        help=f"{help}; again for each that comes after it in a chain"
                        )  # fmt: skip


def _add_packet_arguments(parser: argparse._ArgumentGroup) -> None:
    parser.add_argument("--check", choices=CHECKS, default="crc16", help="both ends alike")
    parser.add_argument("--forget", type=float, default=30.0,
                        help="seconds after which a number is free again; both ends alike "
                             "(%(default)s)")  # fmt: skip


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec serve`."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="its .tkc files, and no others")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="(%(default)s)")


def run_send(args: argparse.Namespace) -> int:
    """Send pictures, or all that come into a folder; 0 if all were sent."""
    from tokcodec.transport.sending import send

    return send(args)


def run_receive(args: argparse.Namespace) -> int:
    """Store what arrives until enough has, or the program is told to stop; 0."""
    from tokcodec.transport.receiving import receive

    return receive(args)


def run_serve(args: argparse.Namespace) -> int:
    """Serve until the program is told to stop; 0."""
    from tokcodec.transport.http import Server
    from tokcodec.transport.terminal import say, stopping

    with Server(args.folder, args.host, args.port) as server, stopping():
        say(f"serving {args.folder} at http://{args.host}:{server.port}/")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


class Verb(NamedTuple):
    """What the command line is told of each."""

    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


send = Verb(add_send_arguments, run_send)
receive = Verb(add_receive_arguments, run_receive)
serve = Verb(add_serve_arguments, run_serve)
