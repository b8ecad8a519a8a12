"""Encoded pictures in, bytes on a disk out: single files, a bundle or Parquet, and what a million
would take.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import tokcodec
from tokcodec.errors import ArgumentError, TokCodecWarning
from tokcodec.stream import header as headers

MILLION = 1_000_000
BLOCK, INODE = 4096, 256  # bytes, ext4's defaults (mke2fs.conf: blocksize, inode_size)
STAT_BLOCK = 512  # unit of st_blocks, whatever the file system's block

Store = Callable[[Sequence[bytes], Path], int | None]


class Stored(NamedTuple):
    """How many entries were stored, their own bytes together, and bytes that they take stored."""

    entries: int
    payload: int
    size: int


class Law(NamedTuple):
    """Size of a container: `fixed + entries * (mean + added)`, in bytes."""

    mean: float
    added: float
    fixed: float

    def scaled(self, entries: int = MILLION) -> float:
        """Bytes of so many entries."""
        return self.fixed + entries * (self.mean + self.added)


def law(some: Stored, whole: Stored) -> Law:
    """The law through two measurements of what a container adds to its entries.

    The mean is that of the larger one: where the two differ in it, that is no overhead.
    """
    extra = [s.size - s.payload for s in (some, whole)]
    added = (extra[1] - extra[0]) / (whole.entries - some.entries)
    return Law(whole.payload / whole.entries, added, extra[1] - added * whole.entries)


def measure(entries: Sequence[bytes], store: Store) -> Law | None:
    """A container's law, from the first eighth of the entries and from all; None where `store`
    cannot make one. (An eighth, not half: zstd's blocks make steps in a small container's size.)

    Raises:
        ArgumentError: there are fewer than two entries.
    """
    if len(entries) < 2:
        raise ArgumentError("overhead is measured on at least two entries")
    found = []
    for some in (entries[: -(-len(entries) // 8)], entries):
        with tempfile.TemporaryDirectory() as folder:
            size = store(some, Path(folder))
        if size is None:
            return None
        found.append(Stored(len(some), sum(map(len, some)), size))
    return law(*found)


def bare(stream: bytes) -> bytes:
    """A stream without what a column can say once: flags, size and code string alone."""
    header, length = headers.parse(stream)
    return headers.write_bare(header) + stream[length:]


def is_stream(entry: bytes) -> bool:
    """Whether an entry is a tokcodec stream."""
    return entry.startswith(headers.MAGIC)


def as_blocks(entries: Sequence[bytes], folder: Path) -> int:
    """Single files, by arithmetic: whole blocks of 4096 bytes and an inode of 256 each."""
    return sum(-(-len(e) // BLOCK) * BLOCK + INODE for e in entries)


def as_files(entries: Sequence[bytes], folder: Path) -> int:
    """Single files, written and measured: blocks of files and folder (stat), 256 an inode."""
    for number, entry in enumerate(entries):
        (folder / f"{number:07}.bin").write_bytes(entry)
    with os.scandir(folder) as found:
        blocks = sum(e.stat().st_blocks for e in found) + folder.stat().st_blocks
    return STAT_BLOCK * blocks + INODE * len(entries)


def as_bundle(entries: Sequence[bytes], folder: Path) -> int | None:
    """A tokcodec bundle of entries without names; None if they are no streams."""
    if not all(map(is_stream, entries)):
        return None
    path = folder / "entries.tkb"
    tokcodec.Bundle.write(path, entries)
    return path.stat().st_size


def as_parquet(compression: str, is_bare: bool = False) -> Store:
    """Parquet with one binary column, as tight as it goes: no dictionary, as all values differ; no
    statistics; lengths apart from bytes. `is_bare`: bare streams, and None if they are no streams.
    """

    def store(entries: Sequence[bytes], folder: Path) -> int | None:
        pyarrow = _pyarrow()
        if pyarrow is None or (is_bare and not all(map(is_stream, entries))):
            return None
        path = folder / "entries.parquet"
        column = pyarrow.array([bare(e) if is_bare else e for e in entries], pyarrow.binary())
        pyarrow.parquet.write_table(
            pyarrow.table({"picture": column}),
            path,
            compression=compression,
            use_dictionary=False,
            write_statistics=False,
            column_encoding={"picture": "DELTA_LENGTH_BYTE_ARRAY"},
        )
        return path.stat().st_size

    return store


@cache
def _pyarrow() -> ModuleType | None:
    """The package, or None and, once, a warning."""
    try:
        import pyarrow.parquet
    except ImportError:
        warnings.warn(
            "no sizes of Parquet: they need pyarrow (pip install pyarrow)",
            TokCodecWarning,
            stacklevel=2,
        )
        return None
    return pyarrow


CONTAINERS: dict[str, Store] = {
    "files, 4096-byte blocks": as_blocks,
    "files, measured": as_files,
    "bundle": as_bundle,
    "Parquet": as_parquet("none"),
    "Parquet, zstd": as_parquet("zstd"),
    "Parquet, bare streams": as_parquet("none", is_bare=True),
}
