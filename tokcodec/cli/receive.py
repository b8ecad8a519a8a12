"""`tokcodec receive`: what arrives at a transport to files."""

from __future__ import annotations

import argparse

import tokcodec
from tokcodec.cli import transports
from tokcodec.cli.options import add_max_pixels, add_reference, path, references
from tokcodec.stream.header import SUFFIX


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec receive`."""
    transports.add_address(parser, "--from", "source")
    parser.add_argument(
        "-o", "--out", required=True, type=path, metavar="DIR", help="where the files go"
    )
    parser.add_argument(
        "--suffix", default=SUFFIX, help="kind of file: streams as they come (.tkc), .png, .jpg ..."
    )
    parser.add_argument(
        "--by-topic",
        action="store_true",
        help="a folder in DIR for each topic (MQTT) or key (Zenoh) that pictures come on",
    )
    parser.add_argument("--decoder", default="auto", help="for pictures, as in decode")
    add_max_pixels(parser, "draw no larger pictures, but keep their streams")
    add_reference(parser, "for pictures, the stream that they were sent with")
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        help="name, file or folder of a model that is not shipped; again for each that may come",
    )
    parser.add_argument(
        "--count",
        type=int,
        help="stop after so many pictures (over UDP complete ones, or those that --forget ends)",
    )
    transports.add_qos(parser)
    parser.add_argument(
        "--name", help="of this receiver at the MQTT broker (default: one that DIR has for ADDRESS)"
    )
    parser.add_argument(
        "--listen", action="store_true", help="Zenoh: wait at ADDRESS for peers to connect"
    )
    transports.add_packets(parser.add_argument_group("over UDP"))


def run(args: argparse.Namespace) -> int:
    """Store what arrives until enough has, or the program is told to stop; 0."""
    from tokcodec.cli.receiving import receive  # here, as the other commands do without

    for name in args.model:
        tokcodec.load(name)
    return receive(args, references(args.reference))
