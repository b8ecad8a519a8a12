"""Streams that wait for a link, in a file that survives the program, the power and the link."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import NamedTuple

from tokcodec.transport.ledger import Ledger, as_text

_TABLES = """
    CREATE TABLE IF NOT EXISTS sender (name TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS taken (
        name TEXT PRIMARY KEY, size INTEGER NOT NULL, time INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS waiting (
        place INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL, stream BLOB NOT NULL
    );
"""


class File(NamedTuple):
    """A version of a file: another size or time is another picture.

    Attributes:
        name: below the watched folder.
        size: in bytes.
        time: of its last change, in nanoseconds.
    """

    name: str
    size: int
    time: int


class Waiting(NamedTuple):
    """A stream to be sent; `place` is its number in the queue."""

    place: int
    id: bytes
    stream: bytes


class Spool:
    """A queue of streams, and the files that were taken into it, in one SQLite file.

    Taking a file and queueing its stream are one step, so a crash neither loses nor doubles it. For
    one program at a time.

    Raises:
        InputError: the file is something else, or in use.
        OutputError: it cannot be made; later, that it cannot be written to.
    """

    def __init__(self, path: str | Path) -> None:
        self._ledger = Ledger(path, _TABLES)
        found = self._ledger.one("SELECT name FROM sender")
        if found is None:
            found = (secrets.token_hex(8),)
            self._ledger.do("INSERT INTO sender VALUES (?)", *found)
            # All ids hang on it: under another name the receiver would store everything again.
            self._ledger.settle()
        self.sender = str(found[0])
        """Says whose pictures these are: random, and the same as long as the file is there."""

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """Streams that wait."""
        (count,) = self._ledger.one("SELECT count(*) FROM waiting") or (0,)
        return int(count)

    def knows(self, file: File) -> bool:
        """Whether this version of the file was taken."""
        found = self._ledger.one("SELECT size, time FROM taken WHERE name = ?", as_text(file.name))
        return found == (file.size, file.time)

    def take(self, file: File, identity: bytes, stream: bytes | None) -> None:
        """Remember the file, and queue its stream; None if there can be none. The file itself may
        be deleted from now on.
        """
        with self._ledger.together(for_good=True):
            about = (as_text(file.name), file.size, file.time)
            self._ledger.do("INSERT OR REPLACE INTO taken VALUES (?, ?, ?)", *about)
            if stream is not None:
                self._ledger.do("INSERT INTO waiting (id, stream) VALUES (?, ?)", identity, stream)

    def first(self, most: int = 1, after: int = 0) -> list[Waiting]:
        """What has waited longest, at most so many, behind a place; empty if nothing waits."""
        found = self._ledger.all(
            "SELECT place, id, stream FROM waiting WHERE place > ? ORDER BY place LIMIT ?",
            after,
            most,
        )
        return [Waiting(*row) for row in found]

    def sent(self, waiting: Waiting) -> None:
        """Take it off the queue."""
        self._ledger.do("DELETE FROM waiting WHERE place = ?", waiting.place)

    def check(self) -> None:
        """Raise OutputError if the file was taken away: what is queued in it would be lost, and
        sent twice what was.
        """
        self._ledger.check()

    def close(self) -> None:
        """Let go of the file."""
        self._ledger.close()
