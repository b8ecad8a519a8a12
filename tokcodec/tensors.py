"""A file of tensors (safetensors) of which the same contents always give the same bytes."""

from __future__ import annotations

import json
import struct


def ordered(blob: bytes) -> bytes:
    """The file with its header sorted: the package writes names and metadata in any order, and the
    hash of a file may be what its streams are known by.
    """
    (length,) = struct.unpack_from("<Q", blob)
    head = json.dumps(json.loads(blob[8 : 8 + length]), sort_keys=True).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + blob[8 + length :]
