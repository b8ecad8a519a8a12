"""Bytes to a file that is either complete or not there, and back."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable, Iterator
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
    path = _named(path)
    temporary = path
    try:
        real = Path(os.path.realpath(path))  # what a link leads to is replaced, the link stays
        temporary = real.with_name(f".{real.name[:40]}.{secrets.token_hex(8)}")
        if os.path.lexists(path):
            if not overwrite:
                raise OutputExistsError(
                    f"{path} exists already; pass overwrite (-f on the command line) to replace it"
                )
            if path.exists() and not path.is_file():
                raise OutputError(f"cannot write {path}: it is no regular file; use - for stdout")
        with temporary.open("xb") as f:
            with suppress(OSError):  # a file keeps who may read it, from its first byte on
                temporary.chmod(stat.S_IMODE(real.stat().st_mode))
            yield f
            f.flush()
        if overwrite:
            temporary.replace(real)
        else:
            _become(temporary, real)
    except OSError as e:
        if isinstance(e, (ConnectionError, TimeoutError)):
            raise  # of a wire that the caller was reading from
        if e.errno is None or e.filename not in (None, str(path), str(temporary)):
            raise  # another file's, likewise; a reader's, which no call of the system gave
        raise OutputError(f"cannot write {path}: {e.strerror or e}") from e
    finally:
        if temporary is not path:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


def _become(temporary: Path, real: Path) -> None:
    """Give a file its name, unless one has that name by now."""
    try:
        os.link(temporary, real)
    except FileExistsError:
        raise OutputExistsError(f"{real} exists by now, and was not replaced") from None
    except OSError:  # some disks know no second names of a file
        if os.path.lexists(real):
            raise OutputExistsError(f"{real} exists by now, and was not replaced") from None
        temporary.replace(real)


def _named(path: str | os.PathLike[str]) -> Path:
    """A path that a file can have; raises OutputError for any other."""
    try:
        found = Path(path)
        if found.name and b"\0" not in os.fsencode(found):
            return found
    except (TypeError, UnicodeEncodeError):
        pass
    raise OutputError(f"cannot write {str(path)!r}: no file can be called that")


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
    except MemoryError:
        raise InputError(f"cannot read {path}: it is larger than the memory at hand") from None


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


def whether(asked: Callable[[], bool], unknown: bool) -> bool:
    """What a path answers, or `unknown` where the system gives no answer, as for names that are too
    long and in folders that are closed: reading or writing there then fails, and tells why.
    """
    try:
        return asked()
    except OSError:
        return unknown


def check_free(path: str | os.PathLike[str]) -> None:
    """See before long work that its result can be written: nothing is made yet.

    Raises:
        OutputExistsError: the file is there already.
        OutputError: it cannot be written there.
    """
    found = _named(path)
    if os.path.lexists(found):
        raise OutputExistsError(f"{found} exists already: move it away, or name another")
    there = next(p for p in found.absolute().parents if os.path.lexists(p))
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise OutputError(f"cannot write {found}: {there} is no folder to write in")


def make_folder(path: str | os.PathLike[str]) -> None:
    """Make a folder and those above it; one that is there already will do.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(f"cannot make the folder {path}: it is a file") from None
    except OSError as e:
        raise OutputError(f"cannot make the folder {path}: {e.strerror or e}") from e
