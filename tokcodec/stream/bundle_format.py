"""What a bundle file is made of (docs/FORMAT.md, "Bundle"), for who writes one and who reads it.

In this order: `START`; the payloads of all streams; the index, which has an `ENTRY` for each
stream, in compressed blocks of `BLOCK` streams; the directory, which has a `PLACE` for each block;
`END`.
"""

from __future__ import annotations

import struct

from tokcodec.stream import header as headers

MAGIC = headers.BUNDLE
VERSION = 1
BLOCK = 1024  # entries to a block of the index
# Magic, version, model code, hash (zeros if shipped), CRC-8 of that and the model's SHA-256.
START = struct.Struct(">4sBB4sB")
# In the directory, of a block: where it lies, its compressed length, where its first payload lies.
PLACE = struct.Struct(">QIQ")
# Where the directory lies, how many streams, CRC-32 of directory and both numbers, magic.
END = struct.Struct(">QQI4s")
# At the start of a block, of each of its streams; the extension fields and names of all follow.
# Payload length, width - 1, height - 1, grey, extension length, name length.
ENTRY = struct.Struct(">IHHBBH")
