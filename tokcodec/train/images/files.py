"""Tar files, folders and pictures to the photographs in them; those kept for validation are told by
their names. Loads no torch.
"""

from __future__ import annotations

import io
import os
import posixpath
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, NamedTuple

from PIL import Image

from tokcodec.errors import InputError
from tokcodec.pixels.image import NEVER_READ, to_rgb

HELD_OUT = 64  # one photograph in so many is never trained on
MAX_HELD_OUT = 512  # of which so many tell enough
MIN_SIDE = 64  # pixels a side; smaller pictures are left out


class Place(NamedTuple):
    """Where the bytes of an image file lie: a file, or a part of a tar file."""

    path: Path
    name: str
    offset: int
    size: int | None

    @property
    def held_out(self) -> bool:
        """Whether it is kept for validation: by a hash of its name inside the tar file or folder,
        so for as long as it is given by the same one.
        """
        inside = posixpath.normpath(self.name)  # tar of a folder's inside writes ./name
        name = inside.encode("utf-8", "surrogateescape")  # the file system's, UTF-8 or not
        return zlib.crc32(name) % HELD_OUT == 0


def places(paths: Sequence[Path]) -> list[Place]:
    """Image files in tar files and folders (searched through), and files themselves, in the order
    given: those of a folder sorted, those of a tar file as they lie there.

    Raises:
        InputError: a path is not there, or no sound tar file.
    """
    found: list[Place] = []
    for path in paths:
        try:
            if path.suffix == ".tar" or (path.is_file() and _is_archive(path)):
                with tarfile.open(path, "r:") as tar:  # plain: what is compressed has no places
                    found += [Place(path, m.name, m.offset_data, m.size) for m in tar if m.isfile()]
            elif path.is_dir():
                inside = sorted(p for p in _inside(path) if p.is_file())
                found += [Place(p, p.relative_to(path).as_posix(), 0, None) for p in inside]
            else:
                found.append(Place(path, path.name, 0, path.stat().st_size))
        except tarfile.TarError as e:
            raise InputError(
                f"{path} is no whole tar file, or a compressed one (unpack it): {e}"
            ) from e
        except OSError as e:
            raise InputError(f"cannot read the photographs in {path}: {e.strerror or e}") from e
    return found


def _inside(folder: Path) -> Iterator[Path]:
    """All files in a folder and those in it. One that cannot be looked into raises OSError: to
    learn from the others alone would be another run.
    """

    def fail(e: OSError) -> None:
        raise e

    for place, _, names in os.walk(folder, onerror=fail):
        yield from (Path(place, name) for name in names)


def names_hash(paths: Sequence[Path]) -> str:
    """Which photographs there are, in which order: what is held out by number depends on it."""
    names = "\n".join(place.name for place in places(paths))
    return sha256(names.encode("utf-8", "surrogateescape")).hexdigest()


def some(chosen: Sequence[Place], most: int) -> list[Place]:
    """At most so many of them, evenly chosen."""
    if len(chosen) <= most:
        return list(chosen)
    return [chosen[i * len(chosen) // most] for i in range(most)]


def _is_archive(path: Path) -> bool:
    """Whether a file begins as tar files do, or as those that were compressed."""
    with path.open("rb") as f:
        start = f.read(262)
    return start[257:] == b"ustar" or start.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ"))


def photograph(place: Place) -> Image.Image | None:
    """The picture as `encode` sees it, RGB; None for files that hold none, or too small a one."""
    try:
        # Not all of its bytes: there may be videos among photographs, of which Pillow reads a
        # header.
        with open(place.path, "rb") as f, Image.open(io.BufferedReader(_Part(f, place))) as image:
            usable = image.format not in NEVER_READ and min(image.size) >= MIN_SIDE
            return Image.fromarray(to_rgb(image)) if usable else None
    except Exception:  # Pillow's readers raise anything at damage, RuntimeError among them
        return None


class _Part(io.RawIOBase):
    """The bytes of a place in its file, as a file of their own."""

    def __init__(self, file: IO[bytes], place: Place) -> None:
        self._file, self._first, self._at = file, place.offset, 0
        end = file.seek(0, io.SEEK_END)
        self._size = end - place.offset if place.size is None else place.size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._first + self._at)
        found = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)


def readable(chosen: Sequence[Place]) -> list[Place]:
    """Those that `photograph` gives a picture for; each is read to find out."""
    return [place for place in chosen if photograph(place) is not None]
