"""Bytes to a file that is either complete or not there, and back."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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
    if "\0" in str(path):
        raise OutputError(f"cannot write {path!r}: a file name holds no zero byte")
    temporary = None
    try:
        if path.exists():
            if not overwrite:
                raise OutputExistsError(
                    f"{path} exists already; pass overwrite (-f on the command line) to replace it"
                )
            if not path.is_file():
                raise OutputError(f"cannot write {path}: it is no regular file; use - for stdout")
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name[:40]}.", delete=False
        ) as f:
            temporary = f.name
            yield f
            f.flush()
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
        temporary = None
    except OSError as e:
        raise OutputError(f"cannot write {path}: {e.strerror or e}") from e
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


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


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder and those above it; one that is there already will do.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise OutputError(f"cannot make the folder {path}: {e.strerror or e}") from e
