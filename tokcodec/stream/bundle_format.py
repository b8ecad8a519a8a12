"""What a bundle file is made of (docs/FORMAT.md, "Bundle"), for who writes one and who reads it."""

from __future__ import annotations

import struct

from tokcodec.stream import header as headers

MAGIC = headers.BUNDLE
VERSION = 1
BLOCK = 1024  # entries to a block of the index
# Magic, version, model code, hash (zeros if shipped), CRC-8 of that and the model's SHA-256.
START = struct.Struct(">4sBB4sB")
# A block of the index: where it lies, its compressed length, where its first payload lies.
ROOM = struct.Struct(">QIQ")
# Where the directory lies, how many streams, CRC-32 of directory and both numbers, magic.
END = struct.Struct(">QQI4s")
# Payload length, width - 1, height - 1, grey, extension length, name length.
ENTRY = struct.Struct(">IHHBBH")
