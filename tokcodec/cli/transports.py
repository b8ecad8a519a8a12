"""Arguments that both ends of a transport take."""

from __future__ import annotations

import argparse

from tokcodec.link.packet import CHECKS
from tokcodec.transport.address import EXAMPLES

QOS = (0, 1, 2)


def add_address(parser: argparse.ArgumentParser, flag: str, name: str) -> None:
    """Where the transport is."""
    parser.add_argument(flag, required=True, dest=name, metavar="ADDRESS", help=EXAMPLES)


def add_qos(parser: argparse.ArgumentParser) -> None:
    """How sure a message over MQTT is to arrive."""
    parser.add_argument("--qos", type=int, choices=QOS, default=1, help="MQTT (%(default)s)")


def add_packets(parser: argparse._ArgumentGroup) -> None:
    """What both ends of a link of packets must agree on."""
    parser.add_argument(
        "--check",
        choices=CHECKS,
        default="crc16",
        help="of a packet, that damage is noticed; both ends alike (%(default)s)",
    )
    parser.add_argument(
        "--forget",
        type=float,
        default=30.0,
        help="seconds after which a number is free again; both ends alike (%(default)s)",
    )
