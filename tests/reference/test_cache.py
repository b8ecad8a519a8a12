"""Chains are read once for as long as they are remembered, within bounds of memory."""

from __future__ import annotations

import numpy as np
import pytest

import tokcodec
from tests.reference.drawn import drawn
from tokcodec import errors
from tokcodec.reference import cache
from tokcodec.reference import known as references
from tokcodec.tokens import order as orders


def test_a_long_chain_is_read_and_a_longer_one_refused(photograph, monkeypatch):
    monkeypatch.setattr(references, "MAX_CHAIN", cache.MAX_REFERENCES + 3)
    picture = photograph("chelsea", 16, 12)
    chain = [tokcodec.encode(picture, psnr=24)]
    while len(chain) < references.MAX_CHAIN:
        picture = np.roll(picture, 1, axis=0)
        chain.append(tokcodec.encode(picture, max_bytes=40, reference=chain))
    shown = drawn(chain[-1], reference=chain[:-1])
    references._cached.clear()
    assert np.array_equal(drawn(chain[-1], reference=chain[:-1]), shown)
    with pytest.raises(errors.ArgumentError, match=str(references.MAX_CHAIN)):
        tokcodec.encode(picture, reference=[*chain, chain[-1]])


def test_a_chain_too_large_to_remember_is_read_once(chain, read, monkeypatch):
    monkeypatch.setattr(cache, "MAX_BYTES", 0)
    drawn(chain[-1], reference=chain[:-1])
    assert len(read) == len(chain)


def test_large_pictures_are_remembered_too_within_bounds(chain, read, monkeypatch):
    monkeypatch.setattr(orders, "SMALL", 0)
    monkeypatch.setattr(orders, "LARGE", 0)  # none is remembered
    size = 4 * 3 * 32 * 24  # bytes of a reference's coefficients
    monkeypatch.setattr(cache, "MAX_BYTES", size)
    shown = drawn(chain[-1], reference=chain[:-1])
    assert len(read) == len(chain)
    assert references._cached._size() == size
    read.clear()
    assert np.array_equal(drawn(chain[-1], reference=chain[:-1]), shown)
    assert len(read) == 1
