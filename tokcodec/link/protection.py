"""A stream to the bodies of packets, and any packets to the prefix that they determine.

Priority encoding transmission (Albanese, Blomer, Edmonds, Luby, Sudan 1996): body i holds byte i of
every codeword; column c of the bodies is a codeword with k_c bytes of the stream, and k_c never
falls. So m bodies, whichever they are, give all columns with k_c <= m: a prefix.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from itertools import pairwise
from math import isqrt

import numpy as np

from tokcodec.link import reed_solomon

PLAIN = 0  # the scheme without protection: bodies are pieces of the stream, in order
GRADES = 15  # a curve's ends are multiples of count / 15
SMOOTH = GRADES * (GRADES + 1) // 2  # schemes 1 ... 120: curves from any end to any higher one
CURVES = 127  # 121 ... 127: curves that begin with a base
BASE = 6  # bytes at least: a short header, and what shows something of the picture
TENTH = 10  # packets, of which one is enough for the base
MAX_PACKETS = 2 * reed_solomon.MAX_CODEWORD  # packets of a picture


def groups(count: int) -> int:
    """Groups that so many protected packets form, packet i being place i // groups of group
    i % groups; 0 if there can be no such count.
    """
    if count <= reed_solomon.MAX_CODEWORD:
        return 1
    return 2 if count % 2 == 0 and count <= MAX_PACKETS else 0


def possible(scheme: int, count: int) -> bool:
    """Whether there is such a scheme, for so many packets."""
    if scheme == PLAIN:
        return 1 <= count <= MAX_PACKETS
    return 1 <= scheme <= CURVES and count >= 1 and groups(count) > 0


def at_most(count: int, protected: bool) -> int:
    """The largest number of packets, at most `count` and 510, that a picture can travel in."""
    count = min(count, MAX_PACKETS)
    return count if not protected or groups(count) else count - 1


def scheme_of(low: int, high: int) -> int:
    """The scheme of the curve from `low` to `high` fifteenths, 1 <= low <= high <= 15."""
    return high * (high - 1) // 2 + low


def ends_of(scheme: int) -> tuple[int, int]:
    """The ends of a curve in fifteenths, its base left aside; for schemes 1..127."""
    if scheme > SMOOTH:
        return 1, 2 * (scheme - SMOOTH) + 1
    high = (isqrt(8 * scheme - 7) + 1) // 2
    return scheme - high * (high - 1) // 2, high


def curve(scheme: int, n: int, length: int) -> np.ndarray:
    """Bytes of the stream in each column: int64 (length,), 1..n, never falling.

    Args:
        scheme: 1..127.
        n: packets in a group, 1..255.
        length: bytes of a body.
    """
    low, high = ends_of(scheme)
    column = np.arange(length, dtype=np.int64)
    # The root of the column's place in 0..1, in 1/65536, rounded down: corrected in integers, so
    # that no machine's square root can make a difference.
    place = ((2 * column + 1) << 31) // length
    root = np.sqrt(place.astype(np.float64)).astype(np.int64)
    root -= root * root > place
    root += (root + 1) * (root + 1) <= place
    k = (n * ((low << 16) + (high - low) * root) + (GRADES << 15)) // (GRADES << 16)
    k = np.maximum(k, 1)
    if scheme > SMOOTH:
        few = max(1, (n + TENTH // 2) // TENTH)
        k[: -(-BASE // few)] = np.minimum(k[: -(-BASE // few)], few)
    return k


def protect(stream: bytes, scheme: int, count: int, length: int) -> list[bytes]:
    """Bodies, one a packet, of a stream that fills them to the byte.

    Args:
        stream: as many bytes as the curve has in all groups.
        scheme: 1..127.
        count: packets.
        length: bytes of a body.
    """
    several = groups(count)
    n = count // several
    k = curve(scheme, n, length)
    data = np.frombuffer(stream, np.uint8)
    bodies = np.zeros((n, several, length), np.uint8)  # row n, column g: packet n * several + g
    at = 0
    for value, first, last in _runs(k):
        columns = last - first
        part = data[at : at + columns * several * value].reshape(-1, value)
        # Row of `part`: column * several + g; the codewords of group 0 come first below.
        part = np.concatenate([part[g::several] for g in range(several)]).T
        words = np.concatenate([part, reed_solomon.parity(part, n)])
        bodies[:, :, first:last] = words.reshape(n, several, columns)
        at += columns * several * value
    return [body.tobytes() for body in bodies.reshape(count, length)]


def prefix(bodies: Mapping[int, bytes], scheme: int, count: int, length: int) -> tuple[bytes, bool]:
    """The bytes of the stream that some bodies determine, and whether these are all.

    Args:
        bodies: by index, each of `length` bytes.
        scheme, count, length: as in `protect`.
    """
    several = groups(count)
    n = count // several
    k = curve(scheme, n, length)
    places = [sorted(i // several for i in bodies if i % several == g) for g in range(several)]
    columns = int(np.searchsorted(k, min(map(len, places)), side="right"))
    found = []
    rows = [
        np.stack([np.frombuffer(bodies[p * several + g], np.uint8) for p in places[g]])
        for g in range(several if columns else 0)
    ]
    for value, first, last in _runs(k[:columns]):
        parts = [
            reed_solomon.recover(places[g], rows[g][:, first:last], n, value)
            for g in range(several)
        ]
        found.append(np.stack(parts).transpose(2, 0, 1).tobytes())
    return b"".join(found), columns == length


def enough(received: Collection[int], scheme: int, count: int, length: int) -> bool:
    """Whether bodies of these indices determine all of the stream."""
    several = groups(count)
    most = _most(scheme, count // several, length)
    if several == 1:
        return len(received) >= most
    return all(sum(i % several == g for i in received) >= most for g in range(several))


@lru_cache(maxsize=256)
def _most(scheme: int, n: int, length: int) -> int:
    """Bytes of the stream in the last column; asked for with every packet."""
    return int(curve(scheme, n, length)[-1])


def _runs(k: np.ndarray) -> list[tuple[int, int, int]]:
    """(value, first, last + 1) of each run of equal numbers."""
    starts = [0, *(np.flatnonzero(np.diff(k)) + 1).tolist(), len(k)]
    return [(int(k[a]), a, b) for a, b in pairwise(starts) if b > a]
