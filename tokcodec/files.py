"""Bytes to a file that is either complete or not there, and back."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from tokcodec.errors import InputError, OutputError, OutputExistsError


@contextmanager
def atomic_file(path: str | os.PathLike[str], overwrite: bool) -> Iterator[IO[bytes]]:
    """A binary file to write to, which takes the name `path` only when all went well.

    Raises:
        OutputExistsError: `path` exists and `overwrite` is false.
        OutputError: it cannot be written (no such folder, no permission, disk full).
    """
    path = Path(path)
    if not _is_name(path):
        raise OutputError(f"cannot write {str(path)!r}: no file can be called that")
    temporary = path.with_name(f".{path.name[:40]}.{secrets.token_hex(8)}")
    try:
        if path.exists():
            if not overwrite:
                raise OutputExistsError(
                    f"{path} exists already; pass overwrite (-f on the command line) to replace it"
                )
            if not path.is_file():
                raise OutputError(f"cannot write {path}: it is no regular file; use - for stdout")
        with temporary.open("xb") as f:
            yield f
            f.flush()
        temporary.replace(path)
    except OSError as e:
        if e.filename not in (None, str(path), str(temporary)):
            raise  # another file's, which the caller was reading
        raise OutputError(f"cannot write {path}: {e.strerror or e}") from e
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _is_name(path: Path) -> bool:
    """Whether a file can have it."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def write_atomically(path: str | os.PathLike[str], data: bytes, overwrite: bool) -> None:
    """Write `data` to `path`, whole or not at all; raises as `atomic_file` does."""
    with atomic_file(path, overwrite) as f:
        f.write(data)


def read(path: str | os.PathLike[str]) -> bytes:
    """A file's bytes.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as e:
        raise InputError(f"cannot read {path}: {getattr(e, 'strerror', None) or e}") from e


def stamp(path: str | os.PathLike[str]) -> tuple[Path, int, int]:
    """What changes when a file does: where it lies, when it was written, and its size.

    Raises:
        InputError: it cannot be read.
    """
    try:
        found = Path(path).stat()
        return Path(path).resolve(), found.st_mtime_ns, found.st_size
    except (OSError, ValueError) as e:
        raise InputError(f"cannot read {path}: {getattr(e, 'strerror', None) or e}") from e


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder and those above it; one that is there already will do.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise OutputError(f"cannot make the folder {path}: {e.strerror or e}") from e
