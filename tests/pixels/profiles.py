"""ICC profiles of linear light, made by hand."""

from __future__ import annotations

import struct

SRGB_PRIMARIES = {  # adapted to D50
    b"rXYZ": (0.4361, 0.2225, 0.0139),
    b"gXYZ": (0.3851, 0.7169, 0.0971),
    b"bXYZ": (0.1431, 0.0606, 0.7141),
}


def xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(v * 65536)) for v in (x, y, z))


def profile(space: bytes, primaries: dict[bytes, tuple[float, float, float]]) -> bytes:
    """A small ICC profile, version 2.1, whose curves are straight lines (linear light)."""
    curve = b"curv" + bytes(8)
    name = b"linear\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(name)) + name + bytes(79),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        **{k: xyz(*v) for k, v in primaries.items()},
        **dict.fromkeys((b"kTRC",) if space == b"GRAY" else (b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for key, value in tags.items():
        table += key + struct.pack(">II", at + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = bytearray(128)
    head[8:12] = b"\2\x10\0\0"
    head[12:24] = b"mntr" + space + b"XYZ "
    head[36:40] = b"acsp"
    head[68:80] = xyz(0.9642, 1.0, 0.8249)[8:]
    whole = bytes(head) + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(whole)) + whole[4:]
