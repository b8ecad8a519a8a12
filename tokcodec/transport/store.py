"""Pictures that arrive to files in a folder, each once, however often it is delivered."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from PIL import Image

from tokcodec.errors import ArgumentError, InputError, OutputError
from tokcodec.files import atomic_file, make_folder
from tokcodec.pixels.saved import holds_colour, saved
from tokcodec.stream.header import SUFFIX
from tokcodec.transport.ledger import Ledger, as_text

MEMORY = ".tokcodec-received.sqlite"
MAX_IDS = 1_000_000  # remembered; the oldest are forgotten
MAX_LEVELS, MAX_LETTERS = 8, 60  # of a topic that are told apart, and of each of them
_NO_NAME = re.compile(r"[^\w.+@=-]")
# A picture's file here; a device, where the system is Windows.
_TAKEN = re.compile(r"[0-9a-f]{16}\..*|(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_TABLES = """
    CREATE TABLE IF NOT EXISTS stored (
        place INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB UNIQUE NOT NULL
    );
    CREATE TABLE IF NOT EXISTS receiver (
        broker TEXT, topic TEXT, name TEXT NOT NULL, PRIMARY KEY (broker, topic)
    ) WITHOUT ROWID;
"""


class Store:
    """Files named after their pictures' ids, and a memory of all ids that were ever stored here.

    The file is on the disk, whole, before the id is remembered, and both are before `put` returns.

    Args:
        folder: made, if it is not there.
        suffix: ".tkc" keeps streams as they came; others, as ".png", make pictures of them.
        draw: a stream to its picture, for suffixes other than ".tkc".

    Raises:
        ArgumentError: no picture can be written with that suffix.
        InputError: the folder's memory is something else, or in use by another program.
        OutputError: the folder cannot be made.
    """

    def __init__(
        self, folder: str | Path, suffix: str, draw: Callable[[bytes], Image.Image]
    ) -> None:
        self.folder, self._suffix, self._draw = Path(folder), suffix, draw
        if suffix != SUFFIX and not holds_colour(suffix):
            raise ArgumentError(f"no picture can be written with the suffix {suffix!r}; try .png")
        self._ledger = Ledger(self.folder / MEMORY, _TABLES)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __contains__(self, identity: object) -> bool:
        """Whether a picture of that id was stored, even if its file is gone by now."""
        return self._ledger.one("SELECT 1 FROM stored WHERE id = ?", identity) is not None

    def put(
        self, identity: bytes, stream: bytes, drawn: bool = True, topic: str = ""
    ) -> Path | None:
        """Store a picture once; its file, or None if it was here before.

        Args:
            drawn: make a picture of it, if the suffix is a picture's; else it is kept as a stream.
            topic: that it came on, for a folder of that name inside; empty for none.

        Raises:
            InputError: no such file can be made of this picture: it is too large for the format.
            OutputError: the folder cannot be written to; nothing is remembered.
            TokCodecError: as `draw` does.
        """
        if identity in self:
            return None
        self._ledger.check()
        path = self.replace(identity, stream, drawn, topic)
        with self._ledger.together():
            self._ledger.do("INSERT INTO stored (id) VALUES (?)", identity)
            self._ledger.do(
                "DELETE FROM stored WHERE place <= (SELECT max(place) FROM stored) - ?", MAX_IDS
            )
        return path

    def replace(self, identity: bytes, stream: bytes, drawn: bool = True, topic: str = "") -> Path:
        """Store a picture in place of an earlier state of it; the rest as for `put`."""
        suffix = self._suffix if drawn else SUFFIX
        below = inside(topic)
        folder = self.folder / below
        if topic:
            make_folder(folder)
        path = folder / f"{identity.hex()}{suffix}"
        data = stream
        if suffix != SUFFIX:
            picture = self._draw(stream)
            try:
                data = saved(picture, suffix)
            except OutputError as e:  # the picture's fault, not the folder's
                raise InputError(str(e)) from e
        with atomic_file(path, overwrite=True) as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        for level in (below, *below.parents):
            _settle_names(self.folder / level)
        return path

    def name(self, broker: str, topic: str) -> str:
        """Of whoever receives into this folder what comes from there: random, and the same as long
        as the folder's memory is there.
        """
        about = as_text(broker), as_text(topic)
        found = self._ledger.one("SELECT name FROM receiver WHERE broker = ? AND topic = ?", *about)
        if found is None:
            found = (f"tokcodec-{secrets.token_hex(6)}",)
            self._ledger.do("INSERT INTO receiver VALUES (?, ?, ?)", *about, *found)
            # The broker keeps pictures for this name from now on, and gives them to no other.
            self._ledger.settle()
        return str(found[0])

    def close(self) -> None:
        """Let go of the memory."""
        self._ledger.close()


def inside(topic: str) -> Path:
    """A topic to a folder that lies inside another, whatever its sender has written there: levels
    are folders, of letters that every system takes in a name; no more than `MAX_LEVELS` of them.
    None has the name that a picture's file may have: that picture could not be stored.
    """
    levels = (_NO_NAME.sub("_", level).lstrip(".")[:MAX_LETTERS] for level in topic.split("/"))
    free = ("_" * bool(_TAKEN.fullmatch(level)) + level for level in levels if level)
    return Path(*islice(free, MAX_LEVELS))


def _settle_names(folder: Path) -> None:
    """The names in a folder to the disk, where the system knows how: Windows opens no folders, and
    some disks on a network keep them without being told.
    """
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(opened)
    except OSError as e:
        if e.errno != errno.EINVAL:
            raise OutputError(f"cannot write to {folder}: {e.strerror or e}") from e
    finally:
        os.close(opened)
