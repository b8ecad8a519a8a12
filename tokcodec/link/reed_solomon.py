"""Data bytes to parity bytes, and back from any k of n: Reed-Solomon for erasures.

Field and generator polynomial are reedsolo's, and so are the codewords. reedsolo takes them one by
one, which costs seconds at a thousand bytes a packet; here numpy takes all codewords of a kind
together, since all of them have lost the same places.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import numpy as np

from tokcodec.errors import ArgumentError

MAX_CODEWORD = 255  # bytes in a codeword


def parity(data: np.ndarray, n: int) -> np.ndarray:
    """Parity of systematic RS(n, k) codewords.

    Args:
        data: uint8 (k, codewords).
        n: bytes in a codeword, k..255.

    Returns:
        uint8 (n - k, codewords).
    """
    k = len(data)
    if n == k:
        return np.zeros((0, data.shape[1]), np.uint8)
    return _product(_matrix(n, k), data)


def recover(places: list[int], symbols: np.ndarray, n: int, k: int) -> np.ndarray:
    """The data, uint8 (k, codewords), of codewords of which some places are known.

    Args:
        places: at least k different places in a codeword, 0..n-1, ascending.
        symbols: uint8 (len(places), codewords): the bytes there.
    """
    data = np.zeros((k, symbols.shape[1]), np.uint8)
    known = [p for p in places if p < k]
    data[known] = symbols[: len(known)]
    missing = sorted(set(range(k)) - set(known))
    if not missing:
        return data
    # As many rows of parity as bytes are missing: a square system, never singular in this code.
    rows = _matrix(n, k)[[p - k for p in places[len(known) : k]]]
    rest = symbols[len(known) : k] ^ _product(rows[:, known], data[known])
    data[missing] = _solve(rows[:, missing], rest)
    return data


def _solve(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The x of a x = b over the field, by elimination; a is (e, e), b (e, codewords)."""
    times, inverse = _field()
    both = np.concatenate([a, b], 1)
    for i in range(len(a)):
        pivot = i + int(np.argmax(both[i:, i] != 0))
        both[[i, pivot]] = both[[pivot, i]]
        both[i] = times[inverse[both[i, i]], both[i]]
        factors = both[:, i].copy()
        factors[i] = 0
        both ^= times[factors[:, None], both[i][None, :]]
    return both[:, len(a) :]


def _product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The matrix product over the field: uint8 (rows, inner) by (inner, columns)."""
    times, _ = _field()
    out = np.zeros((a.shape[0], b.shape[1]), np.uint8)
    for column, row in zip(a.T, b, strict=True):
        out ^= times[column[:, None], row[None, :]]
    return out


@lru_cache(maxsize=1024)
def _matrix(n: int, k: int) -> np.ndarray:
    """What each data byte adds to each parity byte: uint8 (n - k, k).

    Column i is x^(n - 1 - i) modulo the generator polynomial, highest power first.
    """
    times, _ = _field()
    tail = np.array(list(_codec(n - k).gen[n - k])[1:], np.uint8)
    found = np.zeros((n - k, k), np.uint8)
    found[:, k - 1] = tail
    for i in range(k - 2, -1, -1):
        after = found[:, i + 1]
        found[:, i] = np.append(after[1:], 0) ^ times[after[0], tail]
    return found


@cache
def _field() -> tuple[np.ndarray, np.ndarray]:
    """Products, uint8 (256, 256), and inverses, uint8 (256,), of GF(256) with x^8 + x^4 + x^3 +
    x^2 + 1.
    """
    codec = _codec(1)
    logs = np.array(list(codec.gf_log), np.int64)
    powers = np.array(list(codec.gf_exp)[:255], np.uint8)
    times = powers[(logs[:, None] + logs[None, :]) % 255]
    times[0], times[:, 0] = 0, 0
    return times, powers[-logs % 255]


def _codec(parity_bytes: int) -> Any:
    """reedsolo's codec: its own polynomial and tables, whatever others do with the module's."""
    try:
        from reedsolo import RSCodec
    except ImportError:
        raise ArgumentError(
            "protected packets need reedsolo: pip install 'tokcodec[link]', or leave them "
            "unprotected (protect='none', --protect none)"
        ) from None
    return RSCodec(parity_bytes)
