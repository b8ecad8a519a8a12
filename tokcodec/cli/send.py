"""`tokcodec send`: pictures, or what a camera puts into a folder, to a transport."""

from __future__ import annotations

import argparse

import tokcodec
from tokcodec.cli import transports
from tokcodec.cli.options import add_max_pixels, add_reference, path, references, tokens


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec send`."""
    parser.add_argument("inputs", nargs="*", metavar="IMAGE", help="pictures, or streams (.tkc)")
    transports.add_address(parser, "--to", "to")
    parser.add_argument("--watch", type=path, metavar="DIR", help="send what a camera puts there")
    parser.add_argument(
        "-m", "--max-bytes", type=int, help="a picture on the wire, at most (a message with its id)"
    )
    _add_encoding(parser.add_argument_group("of pictures (streams are sent as they are, or cut)"))
    add_reference(parser, "a stream that the pictures resemble, and the receiver has")
    parser.add_argument(
        "--timeout",
        type=float,
        default=30.0,
        help="seconds to wait for the broker to take a picture, over MQTT or Zenoh without --watch "
        "(%(default)s)",
    )
    transports.add_qos(parser)
    add_max_pixels(parser)
    _add_watch(parser.add_argument_group("with --watch"))
    _add_packets(parser.add_argument_group("over UDP"))


def _add_encoding(group: argparse._ArgumentGroup) -> None:
    group.add_argument("-b", "--budget", type=tokens, help="tokens to keep, or auto")
    group.add_argument("--psnr", type=float, help="decibels to reach (with no limit: 32)")
    group.add_argument("--quality", type=float, help="0 to 100, even over pictures")
    group.add_argument("--effort", type=int, help="0 (default) to 9: look longer, for a closer one")
    group.add_argument("--model", default="default", help="name of a model, or its file or folder")


def _add_watch(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--spool", type=path, metavar="FILE", help="default: DIR/.tokcodec-spool.sqlite"
    )
    group.add_argument(
        "--settle", type=float, default=2.0, help="seconds that a finished file rests (%(default)s)"
    )
    group.add_argument("--once", action="store_true", help="stop when all that is there is sent")


def _add_packets(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--mtu", type=int, default=1200, help="bytes of a packet (%(default)s)")
    group.add_argument(
        "--protect",
        choices=("priority", "equal", "none"),
        default="priority",
        help="against losses: the first bytes most (%(default)s), all alike, or nothing",
    )
    group.add_argument("--loss", type=float, default=0.1, help="expected, 0..1 (%(default)s)")
    group.add_argument("--burst", type=float, help="losses in runs of so many packets on average")
    group.add_argument(
        "--together",
        type=int,
        default=1,
        help="pictures sent at once, packet by packet in turn: bursts of losses then cost each "
        "of them little (%(default)s)",
    )
    group.add_argument("--rate", type=float, help="bytes a second, at most")
    transports.add_packets(group)


def run(args: argparse.Namespace) -> int:
    """Send pictures, or all that come into a folder; 0 if all were sent."""
    from tokcodec.cli.sending import send  # here, as the other commands do without

    codec = tokcodec.load(args.model)  # before the references, which may be of it
    return send(args, codec, references(args.reference))
