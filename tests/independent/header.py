"""The header of a stream, of either family: "Stream" in docs/FORMAT.md."""

from __future__ import annotations

CODES = (1, 2, 3, 4, 5, 255)


def crc8(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc << 1 ^ (0x107 if crc & 0x80 else 0)
    return crc


def read_header(data: bytes, sha256: bytes) -> tuple[int, int, bool, int]:
    """Stream: height, width, grey, and where the code string begins."""
    at = 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        if at > len(data):
            raise ValueError("the header is cut")
        return int.from_bytes(data[at - count : at], "big")

    magic, flags, code = take(2), take(1), take(1)
    if magic != 0xB754 or flags >> 5 != 1 or flags & 3:
        raise ValueError("wrong magic, unknown version, or a reserved bit is set")
    if code not in CODES or (code == 255 and take(4) != int.from_bytes(sha256[:4], "big")):
        raise ValueError("made with another model")
    side = 16 if flags & 16 else 12
    width, height = divmod(take(2 * side // 8), 1 << side)
    if flags & 4:
        end = take(1) + at
        while at < end:
            kind, length = take(1), take(1)
            take(length)
            if at > end or kind & 0x80:
                raise ValueError("a broken extension, or a critical one")
    if crc8(data[:at] + sha256) != take(1):
        raise ValueError("wrong CRC: a broken header, or another model")
    return height + 1, width + 1, bool(flags & 8), at
