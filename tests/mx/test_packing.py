"""Codes of a few bits to bytes: the order by hand, and back."""

from __future__ import annotations

import numpy as np
import pytest

from tokcodec.mx.packing import pack, unpack


@pytest.mark.parametrize(
    ("bits", "codes", "packed"),
    [
        (4, [0x1, 0x2, 0xF, 0x0], [0x21, 0x0F]),
        (6, [0b000001, 0b000010, 0b000011, 0b100000], [0b10000001, 0b00110000, 0b10000000]),
        (6, [63, 0, 63, 0], [0x3F, 0xF0, 0x03]),
        (6, [1, 0, 0, 0, 0, 0, 0, 32], [1, 0, 0, 0, 0, 128]),
        (8, [7, 255, 0, 128], [7, 255, 0, 128]),
    ],
)
def test_the_first_code_has_the_lowest_bits(bits: int, codes: list, packed: list) -> None:
    found = pack(np.array(codes, np.uint8), bits)
    assert found.dtype == np.uint8
    assert found.tolist() == packed
    assert unpack(found, bits).tolist() == codes


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_codes_come_back(bits: int) -> None:
    codes = np.random.default_rng(0).integers(0, 1 << bits, (3, 5, 32)).astype(np.uint8)
    packed = pack(codes, bits)
    assert packed.shape == (3, 5, 4 * bits)
    assert np.array_equal(unpack(packed, bits), codes)
    assert unpack(packed, bits).dtype == np.uint8
    little = np.unpackbits(codes[..., None], axis=-1, count=bits, bitorder="little")
    assert np.array_equal(packed, np.packbits(little.reshape(3, 5, -1), -1, bitorder="little"))
