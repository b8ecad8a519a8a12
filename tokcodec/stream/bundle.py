"""Many streams of one model in one file, each at hand without reading the others (docs/FORMAT.md,
"Bundle").
"""

from __future__ import annotations

import operator
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple, overload

import zstandard

from tokcodec.arguments import Size, as_bytes, check_several
from tokcodec.errors import (
    ArgumentError,
    BadMagicError,
    DamagedBundleError,
    InputError,
    UnsupportedVersionError,
)
from tokcodec.files import atomic_file
from tokcodec.limits import MAX_PIXELS
from tokcodec.model import HASHED
from tokcodec.registry import AnyModel, model_for
from tokcodec.stream import header as headers
from tokcodec.stream.bundle_format import BLOCK, END, ENTRY, MAGIC, PLACE, START, VERSION
from tokcodec.stream.bundle_writer import NONE, Writer
from tokcodec.stream.header import Header

MAX_BLOCKS = 64  # kept in memory, some 20 MB: reads in any order need not unpack one each
MAX_BLOCK = BLOCK * (ENTRY.size + 255 + 65535)  # bytes; no honest block is larger


class _Entry(NamedTuple):
    """What the index tells of a stream: where its payload lies, and what its header says."""

    offset: int
    length: int
    size: Size
    grey: bool
    extension: bytes
    name: str


class Bundle(Sequence[bytes]):
    """Read access to a bundle file: `bundle[i]` is stream i, whole, as `encode` gave it. What tells
    where streams lie has checksums; their code strings have none, here as elsewhere.

    Args:
        path: the file. It is opened for each read, so a bundle can be handed to other processes.

    Attributes:
        path: of the file, absolute.
        model: which all its streams belong to.

    Raises:
        ArgumentError: `path` is none.
        InputError: the file cannot be read; of a read: it is no longer the one that was opened.
        BadMagicError, UnsupportedVersionError, DamagedBundleError, UnknownModelError: it is no
            sound bundle; of a read, DamagedBundleError and DamagedHeaderError: it is damaged there.
        UnknownFieldError: of a read, the stream has a field that this tokcodec cannot do without.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        try:
            os.fsencode(Path(path))
            self.path = Path(path).absolute()  # wherever the process goes
        except (TypeError, UnicodeEncodeError):
            raise ArgumentError(f"a bundle lies at a path, not {path!r:.40}") from None
        self._stamp = self._stat()
        start = self._read(0, START.size)
        if start[:4] != MAGIC:
            raise BadMagicError(f"{self.path} is no tokcodec bundle")
        if len(start) < START.size:
            raise DamagedBundleError(f"{self.path} ends inside its first bytes")
        _, version, code, model_hash, crc = START.unpack(start)
        if version != VERSION:
            raise UnsupportedVersionError(
                f"bundle of version {version}; this tokcodec reads version {VERSION}"
            )
        self._code, self._hash = code, model_hash if code == HASHED else b""
        self.model: AnyModel = model_for(code, self._hash)
        if headers.crc8(start[:-1] + self.model.sha256) != crc:
            raise DamagedBundleError(
                f"{self.path} is damaged, or was written with another model of the same code"
            )
        self._size = self._stamp.st_size
        directory, self._count = self._directory()
        self._places = list(PLACE.iter_unpack(directory))
        self._blocks: dict[int, list[_Entry]] = {}  # of the index, read last
        self._numbers: dict[str, int] | None = None  # by name, once one is asked for

    @classmethod
    def write(
        cls,
        path: str | os.PathLike[str],
        streams: Iterable[bytes],
        names: Iterable[str] | None = None,
        overwrite: bool = False,
    ) -> Bundle:
        """Write streams, all of one model, to a new bundle file; `names` are optional, one a
        stream.

        Raises:
            StreamError, UnknownModelError: one of them is no stream of a known model.
            ModelMismatchError: the streams belong to different models.
            ArgumentError: there are not as many names as streams, or no stream at all.
            OutputExistsError, OutputError: the file cannot be written; nothing is left behind.
        """
        check_several(streams)
        if names is not None:
            check_several(names)
        given: Iterator[Any] = iter(names) if names is not None else repeat("")
        with atomic_file(path, overwrite) as f:
            writer = Writer(f)
            for data in streams:
                writer.add(as_bytes(data), next(given, NONE))
            writer.finish()
            if names is not None and next(given, NONE) is not NONE:
                raise ArgumentError("there are more names than streams")
        return cls(path)

    def __getstate__(self) -> dict[str, Any]:
        """Without what every process has already."""
        state = self.__dict__ | {"_blocks": {}, "_numbers": None}
        return state if self._hash else {k: v for k, v in state.items() if k != "model"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if not self._hash:
            self.model = model_for(self._code, self._hash)

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"Bundle({str(self.path)!r}: {len(self)} streams of {self.model.name})"

    @overload
    def __getitem__(self, index: int | str) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | str | slice) -> bytes | list[bytes]:
        """One stream, by its number or its name, or some.

        Raises:
            IndexError, ArgumentError: there are not so many; none has that name.
        """
        if isinstance(index, str):
            index = self.find(index)
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        entry = self._entry(index)
        payload = self._read(entry.offset, entry.length)
        if len(payload) < entry.length:
            raise DamagedBundleError(f"{self.path} ends inside stream {index}")
        # Not before: a field that must be known and is not concerns this stream alone.
        fields = tuple(headers.extension_fields(entry.extension))
        header = Header(self._code, *entry.size, entry.grey, self._hash, fields)
        return headers.write(header, self.model.sha256) + payload

    def __contains__(self, item: object) -> bool:
        """Whether a stream is in it, or one of that name."""
        if isinstance(item, str):
            return item in self._named()
        return super().__contains__(item)

    def __iter__(self) -> Iterator[bytes]:
        return (self[i] for i in range(len(self)))

    def name(self, index: int) -> str:
        """The name that stream `index` was given, or the empty string."""
        return self._entry(index).name

    @property
    def names(self) -> list[str]:
        """The names of all streams, in order."""
        return [self._entry(i).name for i in range(len(self))]

    def find(self, name: str) -> int:
        """Where the first stream of that name stands; the first call reads all names.

        Raises:
            ArgumentError: there is none.
        """
        if name not in self._named():
            raise ArgumentError(f"no stream of {self.path} is called {name!r:.80}")
        return self._named()[name]

    def cut(
        self,
        budget: int | None = None,
        max_bytes: int | None = None,
        *,
        path: str | os.PathLike[str],
        overwrite: bool = False,
        max_pixels: int | None = MAX_PIXELS,
    ) -> Bundle:
        """A new bundle with every stream cut as `tokcodec.cut` does; payloads are sliced, never
        coded again.

        Raises:
            ArgumentError, ImageTooLargeError: as `tokcodec.cut`.
            OutputExistsError, OutputError: the file cannot be written; nothing is left behind.
        """
        from tokcodec.codec import codec_of

        codec = codec_of(self.model)
        return Bundle.write(
            path,
            (codec.cut(s, budget, max_bytes, max_pixels=max_pixels) for s in self),
            self.names,
            overwrite,
        )

    def _named(self) -> dict[str, int]:
        """The first stream of each name."""
        if self._numbers is None:
            names = self.names
            self._numbers = {name: i for i, name in reversed(list(enumerate(names))) if name}
        return self._numbers

    def _stat(self) -> os.stat_result:
        try:
            return self.path.stat()
        except (OSError, ValueError) as e:
            reason = getattr(e, "strerror", None) or e
            raise InputError(f"cannot read the bundle {self.path}: {reason}") from e

    def _read(self, offset: int, length: int) -> bytes:
        try:
            with self.path.open("rb") as f:
                if _changed(self._stamp, os.fstat(f.fileno())):
                    raise InputError(f"the bundle {self.path} was written anew: open it again")
                f.seek(offset)
                return f.read(length)
        except (OSError, ValueError) as e:
            reason = getattr(e, "strerror", None) or e
            raise InputError(f"cannot read the bundle {self.path}: {reason}") from e

    def _directory(self) -> tuple[bytes, int]:
        end = self._read(max(0, self._size - END.size), END.size)
        if len(end) < END.size or end[-4:] != MAGIC:
            raise DamagedBundleError(f"{self.path} is cut off: its last bytes are missing")
        at, count, crc, _ = END.unpack(end)
        blocks = -(-count // BLOCK)
        if at + blocks * PLACE.size + END.size != self._size:
            raise DamagedBundleError(f"{self.path}: its directory does not fit its size")
        directory = self._read(at, blocks * PLACE.size)
        if zlib.crc32(directory + struct.pack(">QQ", at, count)) != crc:
            raise DamagedBundleError(f"{self.path}: its directory is damaged")
        return directory, count

    def _entry(self, index: int) -> _Entry:
        index = operator.index(index)  # TypeError for what is no number, as lists have it
        i = index + len(self) if index < 0 else index
        if not 0 <= i < len(self):
            raise IndexError(f"the bundle holds {len(self)} streams; there is no {index}")
        number = i // BLOCK
        block = self._blocks.get(number)
        if block is None:
            block = self._unpack_block(number)
            for earliest in list(self._blocks)[: max(0, len(self._blocks) - MAX_BLOCKS + 1)]:
                self._blocks.pop(earliest, None)  # another thread may have done so
            self._blocks[number] = block
        return block[i % BLOCK]

    def _unpack_block(self, number: int) -> list[_Entry]:
        """The entries of a block of the index, read from the file."""
        at, length, first = self._places[number]
        count = min(BLOCK, len(self) - number * BLOCK)
        damaged = DamagedBundleError(f"{self.path}: block {number} of its index is damaged")
        if at + length > self._size:
            raise damaged
        try:
            packed = self._read(at, length)
            if zstandard.get_frame_parameters(packed).content_size > MAX_BLOCK:
                raise damaged
            raw = zstandard.ZstdDecompressor().decompress(packed, max_output_size=MAX_BLOCK)
            entries = _entries(raw, count, first)
        except (zstandard.ZstdError, struct.error, UnicodeDecodeError, MemoryError) as e:
            raise damaged from e
        if entries is None or entries[-1].offset + entries[-1].length > self._size:
            raise damaged
        return entries


def _entries(raw: bytes, count: int, offset: int) -> list[_Entry] | None:
    """The `count` entries of a block, the first payload of which lies at `offset`; None if the
    block holds more or less than these.
    """
    fixed = [ENTRY.unpack_from(raw, i * ENTRY.size) for i in range(count)]
    at, entries = count * ENTRY.size, list[_Entry]()  # at: where the next extension begins
    for length, width, height, grey, extension_length, name_length in fixed:
        extension = raw[at : at + extension_length]
        at += extension_length
        name = raw[at : at + name_length].decode()
        at += name_length
        size = width + 1, height + 1
        entries.append(_Entry(offset, length, size, bool(grey), extension, name))
        offset += length
    return entries if at == len(raw) else None


def _changed(before: os.stat_result, now: os.stat_result) -> bool:
    """Whether it is another file, or has another content."""
    what = ("st_dev", "st_ino", "st_size", "st_mtime_ns")
    return any(getattr(before, name) != getattr(now, name) for name in what)
