"""Header, body and check of a packet, to its bytes and back (docs/FORMAT.md, "Packets")."""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass

from tokcodec.arguments import is_whole
from tokcodec.errors import ArgumentError
from tokcodec.stream.header import crc8

HEADER = 4  # bytes
MAX_PACKET = 65_535  # bytes of a packet: no datagram is longer
PICTURES = 128  # picture numbers, before they start again
SCHEMES = 128
PLACES = 512  # values of index, and of count - 1
CHECKS = {"none": 0, "crc8": 1, "crc16": 2}  # name: bytes at the end of a packet
_CRC8 = bytes(crc8(bytes((i,))) for i in range(256))
# Start and final xor are not 0: neither zeros alone pass, nor a packet with zeros after it.
_ONES8, _ONES16 = 0xFF, 0xFFFF


@dataclass(frozen=True)
class Packet:
    """One packet, read.

    Attributes:
        picture: number of the picture, 0..127.
        scheme: how its packets are protected, 0..127.
        index: place of this packet, 0..511.
        count: packets of the picture, 1..512.
        body: at least one byte.
    """

    picture: int
    scheme: int
    index: int
    count: int
    body: bytes


def write(packet: Packet, check: str) -> bytes:
    """A packet's bytes."""
    word = packet.picture << 25 | packet.scheme << 18 | packet.index << 9 | (packet.count - 1)
    head = struct.pack(">I", word) + packet.body
    return head + _sum(head, check)


def read(data: bytes, check: str) -> Packet | None:
    """Bytes to a packet; None if they are none, or damaged as far as the check can tell."""
    size = CHECKS[check]
    if not HEADER + size < len(data) <= MAX_PACKET:
        return None
    head = data[: len(data) - size]
    if _sum(head, check) != data[len(head) :]:
        return None
    (word,) = struct.unpack_from(">I", head)
    index, count = word >> 9 & (PLACES - 1), (word & (PLACES - 1)) + 1
    if index >= count:
        return None
    return Packet(word >> 25, word >> 18 & (SCHEMES - 1), index, count, head[HEADER:])


def room(mtu: int, check: str) -> int:
    """Bytes of body in a packet of `mtu` bytes, or of `MAX_PACKET` if that is less.

    Raises:
        ArgumentError: there is no such check, or no room for any.
    """
    check_known(check)
    if not is_whole(mtu):
        raise ArgumentError(f"a packet has a whole number of bytes, not {mtu!r:.40}")
    if mtu <= HEADER + CHECKS[check]:
        raise ArgumentError(
            f"packets of {mtu} bytes are too small: header and check take "
            f"{HEADER + CHECKS[check]}, and a byte of the picture must follow"
        )
    return min(int(mtu), MAX_PACKET) - HEADER - CHECKS[check]


def check_known(check: str) -> None:
    """Refuse a check that there is not.

    Raises:
        ArgumentError: it is none of `CHECKS`.
    """
    if not isinstance(check, str) or check not in CHECKS:
        raise ArgumentError(f"a check is one of {', '.join(CHECKS)}, not {check!r:.40}")


def _sum(head: bytes, check: str) -> bytes:
    if check == "crc16":
        return (binascii.crc_hqx(head, _ONES16) ^ _ONES16).to_bytes(2, "big")
    if check == "crc8":
        crc = _ONES8
        for byte in head:
            crc = _CRC8[crc ^ byte]
        return bytes((crc ^ _ONES8,))
    return b""
