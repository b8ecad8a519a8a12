"""One SQLite file, for one program at a time, with errors of our own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tokcodec.errors import InputError, OutputError


class Ledger:
    """Tables in a file. After a crash, or a cut in power, it is as it was at some moment shortly
    before: never in between.

    Raises:
        InputError: the file is something else, or in use by another program.
        OutputError: it cannot be made; from the other methods, that the disk does not do its part.
    """

    def __init__(self, path: str | Path, tables: str) -> None:
        self._path = path
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(path, timeout=0, isolation_level=None)
        except (OSError, sqlite3.OperationalError) as e:
            raise OutputError(f"cannot make {path}: {e}") from e
        try:
            self._file.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._file.execute("PRAGMA journal_mode = WAL")
            # The last steps may be lost with the power, and are then done again: ids see to it.
            self._file.execute("PRAGMA synchronous = NORMAL")
            self._file.executescript("BEGIN EXCLUSIVE;" + tables + "COMMIT;")
        except sqlite3.DatabaseError as e:
            self._file.close()
            raise InputError(f"cannot use {path}: {e}") from e
        self._is = _number(path)

    def one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        """The first row that answers a question."""
        return next(iter(self.all(query, *values)), None)

    def all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows that do."""
        try:
            return self._file.execute(query, values).fetchall()  # type: ignore[arg-type]
        except sqlite3.DatabaseError as e:
            raise OutputError(f"cannot read {self._path}: {e}") from e

    def do(self, statement: str, *values: object) -> None:
        """Change something."""
        try:
            self._file.execute(statement, values)  # type: ignore[arg-type]
        except sqlite3.DatabaseError as e:
            raise OutputError(f"cannot write to {self._path}: {e}") from e

    @contextmanager
    def together(self, *, for_good: bool = False) -> Iterator[None]:
        """Changes that happen all or none; `for_good`: afterwards a cut in power leaves them."""
        if for_good:
            self.do("PRAGMA synchronous = FULL")
        try:
            self.do("BEGIN")
            yield
            self.do("COMMIT")
        except BaseException:
            if self._file.in_transaction:
                self._file.rollback()
            raise
        finally:
            self.do("PRAGMA synchronous = NORMAL")

    def settle(self) -> None:
        """What was done so far to the disk, for good: from now on a cut in power leaves it."""
        self.do("PRAGMA wal_checkpoint(TRUNCATE)")

    def check(self) -> None:
        """Raise OutputError if the file is no longer where it was made: a folder that was removed
        takes it along, and it is written to all the same.
        """
        if _number(self._path) != self._is:
            raise OutputError(f"{self._path} was taken away while it was in use")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def as_text(name: str) -> str:
    """A name from outside as text that SQLite takes: bytes that are no UTF-8 are spelt out."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _number(path: str | Path) -> tuple[int, int] | None:
    """What the system calls a file; None if it is gone."""
    try:
        about = Path(path).stat()
    except OSError:
        return None
    return about.st_dev, about.st_ino
