"""The hash of arrays, which identities rest on."""

from __future__ import annotations

import hashlib

import numpy as np

from tokcodec.tensors import hash_arrays


def test_arrays_are_hashed_as_the_format_says() -> None:
    arrays = {"b": np.array([[1, 2], [3, 4]], ">u2").T, "a": np.array([-1], np.int8)}
    said = b"a:int8:(1,)" + b"\xff" + b"b:uint16:(2, 2)" + bytes([1, 0, 3, 0, 2, 0, 4, 0])
    found = hashlib.sha256()
    hash_arrays(found, arrays)
    assert found.digest() == hashlib.sha256(said).digest()
