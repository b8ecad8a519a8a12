"""Packets: header and check, there and back, and what is no packet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcodec.errors import ArgumentError
from tokcodec.link.packet import CHECKS, HEADER, Packet, read, room, write

PACKETS = st.builds(
    lambda picture, scheme, count, place, body: Packet(
        picture, scheme, place % count, count, body
    ),
    st.integers(0, 127), st.integers(0, 127), st.integers(1, 512), st.integers(0, 511),
    st.binary(min_size=1, max_size=80),
)  # fmt: skip
EVERY_CHECK = pytest.mark.parametrize("check", list(CHECKS))


@EVERY_CHECK
@given(packet=PACKETS)
def test_there_and_back(check: str, packet: Packet):
    data = write(packet, check)
    assert len(data) == HEADER + len(packet.body) + CHECKS[check]
    assert read(data, check) == packet


@EVERY_CHECK
@given(data=st.binary(max_size=60))
def test_any_bytes_are_a_packet_or_none(check: str, data: bytes):
    packet = read(data, check)
    assert packet is None or write(packet, check) == data


@pytest.mark.parametrize("check", ["crc8", "crc16"])
@given(packet=PACKETS, bit=st.integers(0, 1 << 20))
def test_a_flipped_bit_is_found(check: str, packet: Packet, bit: int):
    data = bytearray(write(packet, check))
    data[bit // 8 % len(data)] ^= 1 << bit % 8
    assert read(bytes(data), check) is None


@pytest.mark.parametrize("check", ["crc8", "crc16"])
@pytest.mark.parametrize("length", [1, 5, 51, 300])
def test_zeros_alone_are_no_packet(check: str, length: int):
    assert read(bytes(length), check) is None


@pytest.mark.parametrize("check", ["crc8", "crc16"])
@pytest.mark.parametrize("zeros", [1, 2, 5])
def test_zeros_behind_a_packet_are_damage(check: str, zeros: int):
    assert read(write(Packet(1, 2, 3, 4, b"body"), check) + bytes(zeros), check) is None


def test_checks_of_the_format():
    assert write(Packet(24, 76, 281, 309, b"56789"), "crc8")[:4] == b"1234"
    assert write(Packet(24, 76, 281, 309, b"56789"), "crc8")[-1:].hex() == "04"
    assert write(Packet(24, 76, 281, 309, b"56789"), "crc16")[-2:].hex() == "d64e"


@pytest.mark.parametrize(("mtu", "check"), [(4, "none"), (5, "crc8"), (6, "crc16"), (-1, "none")])
def test_no_room(mtu: int, check: str):
    with pytest.raises(ArgumentError, match="too small"):
        room(mtu, check)
    assert room(HEADER + CHECKS[check] + 1, check) == 1


def test_no_such_check():
    with pytest.raises(ArgumentError, match="crc8"):
        room(51, "md5")
