"""Codes of 4, 6 or 8 bits to bytes without gaps, and back.

The first code has the lowest bits of the first byte, and so on upwards (little-endian). Two 4-bit
codes make a byte, the first in its low half, as in torch's `float4_e2m1fn_x2` and in ONNX; four
6-bit codes make three bytes. A block of 32 is always a whole number of bytes.
"""

from __future__ import annotations

from math import lcm

import numpy as np


def pack(codes: np.ndarray, bits: int) -> np.ndarray:
    """Codes, uint8 (..., n) below 2**bits, to bytes, uint8 (..., n * bits / 8); n is a multiple of
    4.
    """
    together = lcm(8, bits) // bits  # codes that fill whole bytes
    word = np.zeros((*codes.shape[:-1], codes.shape[-1] // together), np.uint32)
    for i in range(together):
        word |= codes[..., i::together].astype(np.uint32) << np.uint32(bits * i)
    found = [word >> np.uint32(8 * i) & np.uint32(255) for i in range(together * bits // 8)]
    return np.stack(found, -1).astype(np.uint8).reshape(*codes.shape[:-1], -1)


def unpack(packed: np.ndarray, bits: int) -> np.ndarray:
    """The inverse of `pack`: bytes, uint8 (..., m), to codes, uint8 (..., m * 8 / bits); for 6 bits
    m is a multiple of 3.
    """
    together = lcm(8, bits) // bits
    count = together * bits // 8
    word = np.zeros((*packed.shape[:-1], packed.shape[-1] // count), np.uint32)
    for i in range(count):
        word |= packed[..., i::count].astype(np.uint32) << np.uint32(8 * i)
    mask = np.uint32((1 << bits) - 1)
    found = [word >> np.uint32(bits * i) & mask for i in range(together)]
    return np.stack(found, -1).astype(np.uint8).reshape(*packed.shape[:-1], -1)
