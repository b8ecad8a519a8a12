"""The range coder: exact frequencies, prefixes that determine exactly what they must, no waste."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tokcodec.coder.range import Reader, Writer
from tokcodec.model import TOTAL


def made_up(n: int, seed: int, sharp: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Random digits, rows and frequencies that fit them."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([sharp] * 3, 40)
    f = np.maximum(1, (p * (TOTAL - 3)).astype(np.int64))
    f[:, 2] = TOTAL - f[:, 0] - f[:, 1]
    rows = rng.integers(0, 40, n).astype(np.uint8)
    digits = np.array([rng.choice(3, p=f[r] / TOTAL) - 1 for r in rows], np.int8)
    return digits, rows, f


def interval(digits: np.ndarray, rows: np.ndarray, f: np.ndarray) -> tuple[Fraction, Fraction]:
    """The interval of the digits, by the arithmetic of docs/FORMAT.md in exact fractions."""
    low, size, bits = 0, 2**64 - 1, 64
    for d, r in zip(digits.tolist(), rows.tolist(), strict=True):
        unit = size >> 24
        low += unit * int(f[r, : d + 1].sum())
        size = unit * int(f[r, d + 1])
        if size < 1 << 32:
            low, size, bits = low << 32, size << 32, bits + 32
    return Fraction(low, 1 << bits), Fraction(low + size, 1 << bits)


def span(data: bytes) -> tuple[Fraction, Fraction]:
    """All fractions that start with these bytes."""
    number = int.from_bytes(data, "big")
    return Fraction(number, 256 ** len(data)), Fraction(number + 1, 256 ** len(data))


@pytest.mark.parametrize("n", [1, 2, 30, 400])
@pytest.mark.parametrize("sharp", [0.05, 1.0, 20.0])
def test_the_shortest_bytes_that_determine_everything(n, sharp):
    digits, rows, f = made_up(n, n, sharp)
    writer = Writer()
    writer.write(digits, rows, (f - 1).astype(float))
    data = writer.finish()
    low, high = interval(digits, rows, f)
    a, b = span(data)
    assert low <= a
    assert b <= high
    if data:
        scale = 256 ** (len(data) - 1)  # no multiple of one byte less fits
        assert Fraction(-(-low * scale // 1) + 1, scale) > high
    assert np.array_equal(Reader(data, len(rows)).read(rows, (f - 1).astype(float)), digits)


@pytest.mark.parametrize("sharp", [0.03, 0.5, 5.0])
def test_prefixes_determine_the_digits_whose_interval_holds_them(sharp):
    digits, rows, f = made_up(300, 7, sharp)
    writer = Writer()
    writer.write(digits, rows, (f - 1).astype(float))
    data = writer.finish()
    for n in range(0, len(data) + 1, 3):
        read = Reader(data[:n], len(rows)).read(rows, (f - 1).astype(float))
        k = len(read)
        assert np.array_equal(read, digits[:k])
        a, b = span(data[:n])
        low, high = interval(digits[:k], rows[:k], f)
        assert k == 0 or (low <= a and b <= high)
        if k < len(digits):
            low, high = interval(digits[: k + 1], rows[: k + 1], f)
            assert a < low or b > high


def test_snapshots_know_the_shortest_prefix():
    digits, rows, f = made_up(500, 9)
    weights = (f - 1).astype(float)
    writer, snapshots = Writer(), []
    for at in range(0, 500, 25):
        writer.write(digits[at : at + 25], rows[at : at + 25], weights)
        snapshots.append(writer.interval())
    data = writer.finish()
    for number, snapshot in enumerate(snapshots, start=1):
        n = snapshot.shortest_prefix(data, len(data))
        assert n is not None
        assert len(Reader(data[:n], len(rows)).read(rows, weights)) >= 25 * number
        assert len(Reader(data[: n - 1], len(rows)).read(rows, weights)) < 25 * number


def test_bytes_called_fixed_do_not_change():
    digits, rows, f = made_up(600, 10)
    weights = (f - 1).astype(float)
    writer, promised = Writer(), []
    for at in range(0, 600, 20):
        writer.write(digits[at : at + 20], rows[at : at + 20], weights)
        code, n = writer.fixed()
        promised.append(code[:n])
    data = writer.finish()
    assert all(data.startswith(p) for p in promised)
    assert len(promised[-1]) >= len(data) - 12


@pytest.mark.parametrize("data", [b"", b"\xff" * 40, b"\0" * 9, b"\xff", bytes(range(30))])
def test_any_bytes_can_be_read(data):
    _, rows, f = made_up(3000, 12)
    digits = Reader(data, len(rows)).read(rows, (f - 1).astype(float))
    assert len(digits) < 3000
    assert set(digits.tolist()) <= {-1, 0, 1}


def test_little_is_wasted():
    wasted = []
    for seed in range(20):
        digits, rows, f = made_up(100, seed)
        writer = Writer()
        writer.write(digits, rows, (f - 1).astype(float))
        ideal = -np.log2(f[rows, digits + 1] / TOTAL).sum() / 8
        wasted.append(len(writer.finish()) - ideal)
    assert max(wasted) < 2
    assert np.mean(wasted) < 1


@pytest.mark.parametrize("sharp", [0.05, 1.0, 20.0])
def test_what_comes_next_can_be_left_open(sharp):
    digits, rows, f = made_up(60, 5, sharp)
    weights = (f - 1).astype(float)
    for n in range(1, 60):
        writer = Writer()
        writer.write(digits[:n], rows[:n], weights)
        data = writer.finish(weights[rows[n]])
        assert np.array_equal(Reader(data, 60).read(rows, weights), digits[:n])
        assert len(data) <= len(writer.finish()) + 3


def test_what_lies_behind_the_end_is_not_looked_at():
    digits, rows, f = made_up(40, 3)
    weights = (f - 1).astype(float)
    writer = Writer()
    writer.write(digits, rows, weights)
    data = writer.finish()
    for tail in (bytes(1000), b"\xff" * 1000):
        assert np.array_equal(Reader(data + tail, 40).read(rows, weights), digits)
