"""Streams, one after another, to a bundle file."""

from __future__ import annotations

import struct
import zlib
from typing import IO, Any

import zstandard

from tokcodec.errors import ArgumentError, ModelMismatchError
from tokcodec.registry import AnyModel, code_of, model_for
from tokcodec.stream import header as headers
from tokcodec.stream.bundle_format import BLOCK, END, ENTRY, MAGIC, PLACE, START, VERSION
from tokcodec.stream.header import Header

NONE: Any = object()  # instead of a name that is missing


class Writer:
    """Streams to a file, one after another; the index follows them.

    Args:
        file: empty, and open to write to.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._model: AnyModel | None = None
        self._blocks: list[tuple[bytes, int]] = []  # of the index, and where their payloads begin
        self._entries: list[tuple[Header, int, bytes]] = []
        self._count, self._first, self._at = 0, START.size, START.size

    def add(self, data: bytes, name: Any) -> None:
        """One stream more, of the model of those before."""
        header, length = headers.parse(data)
        if self._model is None:
            self._model = model_for(header.model, header.hash)
            self._file.write(_start(self._model))
        elif (header.model, header.hash) != code_of(self._model):
            raise ModelMismatchError("a bundle holds streams of one model; these belong to several")
        headers.check(data[:length], self._model.sha256)
        self._entries.append((header, len(data) - length, _text(name)))
        self._file.write(data[length:])
        self._at, self._count = self._at + len(data) - length, self._count + 1
        if len(self._entries) == BLOCK:
            self._end_block()

    def finish(self) -> None:
        """Write what tells where all of them lie."""
        if self._model is None:
            raise ArgumentError("a bundle needs at least one stream")
        if self._entries:
            self._end_block()
        directory, at = b"", self._at
        for block, first in self._blocks:
            directory += PLACE.pack(at, len(block), first)
            self._file.write(block)
            at += len(block)
        numbers = struct.pack(">QQ", at, self._count)
        crc = zlib.crc32(directory + numbers)
        self._file.write(directory + END.pack(at, self._count, crc, MAGIC))

    def _end_block(self) -> None:
        self._blocks.append((_pack_block(self._entries), self._first))
        self._entries, self._first = [], self._at


def _start(model: AnyModel) -> bytes:
    code, model_hash = code_of(model)
    body = START.pack(MAGIC, VERSION, code, model_hash or bytes(4), 0)[:-1]
    return body + bytes((headers.crc8(body + model.sha256),))


def _text(name: Any) -> bytes:
    """A stream's name as it is kept."""
    if name is NONE:
        raise ArgumentError("there are fewer names than streams")
    try:
        return name.encode()
    except (AttributeError, UnicodeEncodeError):
        raise ArgumentError(f"a name is text that UTF-8 can hold, not {name!r}") from None


def _pack_block(entries: list[tuple[Header, int, bytes]]) -> bytes:
    fixed, texts = [], []
    for header, length, name in entries:
        extension = headers.extension_bytes(header)
        grey = int(header.grey)
        if len(name) > 65535:
            raise ArgumentError("a name in a bundle has at most 65,535 bytes")
        fixed.append(
            ENTRY.pack(length, header.width - 1, header.height - 1, grey, len(extension), len(name))
        )
        texts.append(extension + name)
    return zstandard.ZstdCompressor(level=12, write_checksum=True).compress(b"".join(fixed + texts))
