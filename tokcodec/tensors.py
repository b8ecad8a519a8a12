"""Tensors to bytes that are always the same for the same tensors: to hash, and to write to a file
(safetensors).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Protocol

import numpy as np


class Hash(Protocol):
    """A hash of `hashlib` that is being worked out."""

    def update(self, data: bytes, /) -> None: ...


def ordered(blob: bytes) -> bytes:
    """The file with its header sorted: the package writes names and metadata in any order, and the
    hash of a file may be what its streams are known by.
    """
    (length,) = struct.unpack_from("<Q", blob)
    head = json.dumps(json.loads(blob[8 : 8 + length]), sort_keys=True).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + blob[8 + length :]


def hash_arrays(h: Hash, arrays: Mapping[str, np.ndarray]) -> None:
    """Feed arrays to a hash in the order of their names: each one's name, type and shape as text,
    then its numbers, little-endian and row by row (docs/FORMAT.md).
    """
    for name in sorted(arrays):
        x = arrays[name]
        h.update(f"{name}:{x.dtype.name}:{x.shape}".encode())
        h.update(np.ascontiguousarray(x, x.dtype.newbyteorder("<")).tobytes())
