"""No silent damage: cut off, altered or made up, a bundle says so, in bounded memory."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import zstandard

import tokcodec
from tests.stream.bundled import NAMES
from tokcodec import Bundle
from tokcodec.errors import (
    BadMagicError,
    DamagedBundleError,
    TokCodecError,
)


def read_all(file: Path, contents: bytes) -> tuple[list[bytes], list[str]]:
    file.write_bytes(contents)
    bundle = Bundle(file)
    return list(bundle), bundle.names


def test_every_truncation_is_told(file: Path) -> None:
    contents = file.read_bytes()
    for n in range(len(contents)):
        with pytest.raises((DamagedBundleError, BadMagicError)):
            read_all(file, contents[:n])


def test_bytes_at_the_end_are_told(file: Path) -> None:
    with pytest.raises(DamagedBundleError):
        read_all(file, file.read_bytes() + b"\0")


@pytest.mark.parametrize("change", [0x01, 0xFF])
def test_damage_anywhere_is_told_or_stays_inside_a_payload(
    file: Path, streams: list[bytes], change: int
) -> None:
    """Nothing but our own errors; what is not told leaves names, headers and lengths alone."""
    contents = file.read_bytes()
    lengths = [tokcodec.info(s, count=False).header_bytes for s in streams]
    for at in range(len(contents)):
        damaged = bytearray(contents)
        damaged[at] ^= change
        try:
            found, names = read_all(file, bytes(damaged))
        except TokCodecError:
            continue
        assert names == NAMES
        for stream, wanted, head in zip(found, streams, lengths, strict=True):
            assert stream[:head] == wanted[:head]
            assert len(stream) == len(wanted)


def test_noise_is_told(file: Path) -> None:
    rng, contents = np.random.default_rng(1), file.read_bytes()
    for _ in range(200):
        damaged = np.frombuffer(contents, np.uint8).copy()
        start = rng.integers(len(damaged))
        part = damaged[start : start + rng.integers(1, 60)]
        part[:] = rng.integers(0, 256, len(part))
        with contextlib.suppress(TokCodecError):
            read_all(file, damaged.tobytes())


def crafted(file: Path, block: bytes | None = None, room: tuple[int, ...] | None = None) -> bytes:
    """The bundle with another index block, or another place for it, and all checksums right.

    The end of a bundle of one block (docs/FORMAT.md): block, directory of 20 bytes (its place,
    length, place of the first payload), then place of the directory, count, CRC-32, magic.
    """
    contents = file.read_bytes()
    directory, count, _, magic = struct.unpack(">QQI4s", contents[-24:])
    at, length, first = struct.unpack(">QIQ", contents[directory : directory + 20])
    if block is None:
        block = contents[at : at + length]
    entry = struct.pack(">QIQ", *(room or (at, len(block), first)))
    numbers = struct.pack(">QQ", at + len(block), count)
    crc = struct.pack(">I", zlib.crc32(entry + numbers))
    return contents[:at] + block + entry + numbers + crc + magic


def test_the_crafting_itself_is_right(file: Path) -> None:
    assert crafted(file) == file.read_bytes()


@pytest.mark.parametrize("far", [2**31, 2**40, 2**62, 2**63, 2**64 - 1])
def test_places_beyond_the_file_are_told(file: Path, far: int) -> None:
    whole = file.read_bytes()
    for room in [(far, 50, 11), (20, 50, far), (far, 2**32 - 1, far)]:
        file.write_bytes(whole)
        with pytest.raises(TokCodecError):
            read_all(file, crafted(file, room=room))


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"not zstandard",
        zstandard.compress(b""),
        zstandard.compress(bytes(83)),
        zstandard.compress(bytes(84) + b"x"),
        zstandard.compress(b"\xff" * 84),
        zstandard.compress(b"\xff" * 5000),
        b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", 2**62) + b"\1\0\0",
    ],
    ids=["empty", "no zstd", "nothing", "short", "long", "ones", "more ones", "boasting"],
)
def test_an_index_block_of_nonsense_is_told(file: Path, block: bytes) -> None:
    with pytest.raises(TokCodecError):
        read_all(file, crafted(file, block))


def test_a_block_that_swells_is_refused_in_bounded_memory(file: Path) -> None:
    """Half a gigabyte of zeros in some kilobytes: no honest block is larger than 68 MB."""
    pytest.importorskip("resource")
    writer = zstandard.ZstdCompressor().compressobj(size=1 << 29)
    block = b"".join(writer.compress(bytes(1 << 20)) for _ in range(1 << 9)) + writer.flush()
    assert len(block) < 100_000
    file.write_bytes(crafted(file, block))
    script = """
import resource, sys
from tokcodec import Bundle
from tokcodec.errors import DamagedBundleError
bundle = Bundle(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    bundle[0]
except DamagedBundleError:
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 200
