"""Digits and their frequencies to the bytes of a range coder, trimmed to the byte, decodable from
any prefix.

The coder is constriction's 32-bit `queue.RangeEncoder` (64-bit state, 24-bit frequencies). A code
string is read as a binary fraction 0.b1b2b3...; a sequence of digits is an interval of such
fractions. Bytes *determine* a digit when the whole interval of fractions that start with these
bytes lies inside the digit's interval: whatever follows, the digit is the same.
"""

from __future__ import annotations

from itertools import product
from typing import Any, NamedTuple

import constriction  # type: ignore[import-untyped]
import numpy as np

RangeEncoder, RangeDecoder = (
    constriction.stream.queue.RangeEncoder,
    constriction.stream.queue.RangeDecoder,
)

# `perfect=False` scales the weights w it is handed by (2**24 - 3) / sum(w), then gives every symbol
# one more. With weights that are frequencies less one, summing to 2**24 - 3, the scale is exactly
# 1.0, and each symbol gets exactly its frequency: no float rounding is involved.
_FAMILY = constriction.stream.model.Categorical(perfect=False)
_ONE = np.array(1, np.int32)
PRECISION = 24  # bits of a frequency
CHUNK = 1 << 18  # digits handed over at once: 6 MB of weights


class Interval(NamedTuple):
    """Where an encoder stands: the fractions [low, low + size) * 2**-bits that continue what was
    written.

    `low` is known modulo 2**64 only; the bytes of any continuation give the rest.
    """

    words: int
    low: int
    size: int

    @property
    def bits(self) -> int:
        return 32 * self.words + 64

    def offset(self, code: bytes) -> int:
        """How far the fraction `code`, a continuation of what was written, lies above the
        interval's low end.
        """
        return (_tail(code, self.words) - self.low) % (1 << 64)

    def shortest_prefix(self, code: bytes, fixed: int) -> int | None:
        """Bytes of `code` that determine all that was written, or None if more than `fixed` would
        be needed.

        Args:
            code: a continuation of what was written, of which the first `fixed` bytes are certain.
        """
        tail, offset = _tail(code, self.words), self.offset(code)
        for n in range(min(4 * self.words, fixed), min(fixed, 4 * self.words + 8) + 1):
            free = 8 * (4 * self.words + 8 - n)  # bits after the prefix
            if free > 64:
                continue
            below = tail & ((1 << free) - 1)
            if below <= offset and offset - below + (1 << free) <= self.size:
                return n
        return None


def _tail(code: bytes, words: int) -> int:
    """The 64 bits after the first `words` words of `code`, zeros after its end."""
    return int.from_bytes(code[4 * words : 4 * words + 8].ljust(8, b"\0"), "big")


class Writer:
    """Digits in, bytes out."""

    def __init__(self) -> None:
        self._encoder = RangeEncoder()

    def write(self, digits: np.ndarray, rows: np.ndarray, weights: np.ndarray) -> None:
        """Append digits (-1, 0, 1; shape (n,)), each with the frequencies in row `rows[i]` of
        `weights` (frequency - 1).
        """
        for at in range(0, len(digits), CHUNK):
            symbols = digits[at : at + CHUNK].astype(np.int32) + 1
            self._encoder.encode(symbols, _FAMILY, weights.take(rows[at : at + CHUNK], axis=0))

    def write_one(self, symbol: int, weights: np.ndarray) -> None:
        """Append one symbol of `len(weights)`, the first being 0; `weights` as above."""
        self._encoder.encode(np.array([symbol], np.int32), _FAMILY, weights[None])

    def __len__(self) -> int:
        """Bytes written, within eight."""
        return 4 * self._encoder.num_words()

    def interval(self) -> Interval:
        words, (low, size) = self._encoder.pos()
        return Interval(words, low, size)

    def code(self) -> bytes:
        """Bytes of some fraction inside the present interval."""
        return self._encoder.get_compressed().astype(">u4").tobytes()

    def _standing(self) -> tuple[Interval, bytes, int]:
        """The present interval, bytes inside it, and its whole low end, in units of 2**-bits."""
        here, code = self.interval(), self.code()
        value = int.from_bytes(code[: 4 * here.words + 8].ljust(4 * here.words + 8, b"\0"), "big")
        return here, code, value - here.offset(code)

    def fixed(self) -> tuple[bytes, int]:
        """(code, n): the first n bytes of `code` will not change, whatever is written later."""
        here, code, low = self._standing()
        differing = (low ^ (low + here.size - 1)).bit_length()
        return code, (here.bits - differing) // 8

    def finish(self, following: np.ndarray | None = None) -> bytes:
        """The shortest bytes that determine everything written.

        Args:
            following: weights of the symbol that would come next, as for `write_one`, shape
                (symbols,): the shortest bytes that leave it open as well, at most two more.
        """
        here, code, low = self._standing()
        lengths = range(4 * here.words, 4 * here.words + 9)
        below = [] if following is None else np.cumsum(following.astype(np.int64) + 1)[:-1].tolist()
        edges = [low + (here.size >> PRECISION) * frequency for frequency in below]
        for n, edge in product(lengths, edges):  # fractions on both sides of one: still open
            free = here.bits - 8 * n
            prefix = edge >> free
            if low <= prefix << free < edge and (prefix + 1) << free <= low + here.size:
                return prefix.to_bytes(n, "big")
        for n in lengths:
            free = here.bits - 8 * n
            prefix = -(-low >> free)  # rounded up
            if (prefix + 1) << free <= low + here.size:
                return prefix.to_bytes(n, "big")
        return code


class Reader:
    """Bytes in, the digits that they determine out.

    Two decoders run side by side, one on the smallest and one on the largest fraction that starts
    with the bytes; digits are determined for as long as both agree.

    Args:
        payload: the bytes.
        most: how many digits may be asked for. What lies behind all that so many can take is left
            out: it would be copied again and again.
    """

    def __init__(self, payload: bytes, most: int) -> None:
        payload = payload[: (PRECISION + 1) * most // 8 + 16]
        pad = -len(payload) % 4
        words = np.frombuffer(payload + b"\0" * pad, ">u4").astype(np.uint32)
        self._least = RangeDecoder(words)
        words = np.frombuffer(payload + b"\xff" * (pad + 16), ">u4").astype(np.uint32)
        self._most = RangeDecoder(words)

    def read(self, rows: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The next digits (int8), at most len(rows) of them; fewer when the bytes determine no
        more.
        """
        out: list[np.ndarray] = []
        for at in range(0, len(rows), CHUNK):
            w = weights.take(rows[at : at + CHUNK], axis=0)
            a, b = _decode(self._least, w), _decode(self._most, w)
            if a.tobytes() != b.tobytes():
                n = min(len(a), len(b))
                a = a[: int(np.argmin(np.append(a[:n] == b[:n], False)))]
            out.append((a - _ONE).astype(np.int8))
            if len(a) < len(w):
                break
        return out[0] if len(out) == 1 else np.concatenate([*out, np.zeros(0, np.int8)])

    def read_one(self, weights: np.ndarray) -> int | None:
        """The next symbol of `len(weights)`, the first being 0; None when the bytes determine no
        more.
        """
        a, b = _decode(self._least, weights[None]), _decode(self._most, weights[None])
        return int(a[0]) if len(a) and len(b) and a[0] == b[0] else None


def _decode(decoder: Any, weights: np.ndarray) -> np.ndarray:
    """Symbols, stopping short where the bytes leave what the frequencies cover."""
    before = decoder.clone()
    try:
        return decoder.decode(_FAMILY, weights)
    except AssertionError:  # constriction's word for a fraction that no encoder writes
        good, bad = 0, len(weights)
        while bad - good > 1:
            middle = (good + bad) // 2
            try:
                before.clone().decode(_FAMILY, weights[:middle])
                good = middle
            except AssertionError:
                bad = middle
        return before.decode(_FAMILY, weights[:good])
