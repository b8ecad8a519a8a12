"""Reed-Solomon: the codewords are reedsolo's, and any k bytes give the data."""

from __future__ import annotations

import numpy as np
import pytest
import reedsolo
from hypothesis import given, settings
from hypothesis import strategies as st

from tokcodec.errors import ArgumentError
from tokcodec.link import reed_solomon


@pytest.mark.parametrize(("n", "k"), [(2, 1), (5, 3), (40, 16), (255, 1), (255, 128), (255, 254)])
def test_codewords_are_reedsolos(n: int, k: int):
    data = np.random.default_rng(n + k).integers(0, 256, (k, 3), dtype=np.uint8)
    found = reed_solomon.parity(data, n)
    codec = reedsolo.RSCodec(n - k)
    for i in range(3):
        assert data[:, i].tobytes() + found[:, i].tobytes() == codec.encode(data[:, i].tobytes())


@given(seed=st.integers(0, 1 << 30), n=st.integers(1, 60), part=st.floats(0, 1))
@settings(deadline=None)
def test_any_k_bytes_give_the_data(seed: int, n: int, part: float):
    random, k = np.random.default_rng(seed), 1 + int(part * (n - 1))
    data = random.integers(0, 256, (k, 4), dtype=np.uint8)
    words = np.concatenate([data, reed_solomon.parity(data, n)])
    places = sorted(random.permutation(n)[: random.integers(k, n + 1)].tolist())
    assert (reed_solomon.recover(places, words[places], n, k) == data).all()


def test_another_field_in_reedsolo_changes_nothing():
    data = np.arange(6, dtype=np.uint8).reshape(3, 2)
    before = reed_solomon.parity(data, 8)
    reed_solomon._matrix.cache_clear()
    reed_solomon._field.cache_clear()
    try:
        reedsolo.init_tables(0x187)
        assert (reed_solomon.parity(data, 8) == before).all()
    finally:
        reedsolo.init_tables(0x11D)


def test_without_reedsolo(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "reedsolo", None)
    with pytest.raises(ArgumentError, match=r"tokcodec\[link\]"):
        reed_solomon._codec(1)
