"""A folder that a camera writes to, to the pictures in it that are finished."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from tokcodec.errors import InputError
from tokcodec.transport.spool import File


class Folder:
    """Looks again and again; a file whose size and time rest for `settle` seconds is finished.

    Names that begin with a dot are left alone, and folders of such names.

    Args:
        path: with all its subfolders.
        suffixes: of pictures, in lower case.
        settle: seconds. Cameras that pause longer while they write leave a file that cannot be
            read; it counts anew when it changes.
        clock: seconds, never going back. The clock that dates files may be wrong.

    Raises:
        InputError: there is no such folder.
    """

    def __init__(
        self,
        path: str | Path,
        suffixes: Collection[str],
        settle: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = Path(path)
        if not self.path.is_dir():
            raise InputError(f"there is no folder {path}")
        self._suffixes, self._settle, self._clock = suffixes, settle, clock
        self._resting: dict[File, float] = {}  # files not known yet, and since when they rest
        self.closed: dict[str, str] = {}
        """Folders that could not be looked into at the last look, and why."""

    def finished(self, known: Callable[[File], bool]) -> list[File]:
        """Files that are finished and not `known`, oldest first."""
        now, seen = self._clock(), {}
        self.closed = {}
        for file in self._files():
            if not known(file):
                seen[file] = self._resting.get(file, now)
        self._resting = seen
        ready = [file for file, since in seen.items() if now - since >= self._settle]
        return sorted(ready, key=lambda file: (file.time, file.name))

    @property
    def waiting(self) -> set[File]:
        """The files that were seen at the last look, and were not known."""
        return set(self._resting)

    def about(self, name: str) -> File | None:
        """What a file is like now; None if it is gone."""
        try:
            about = (self.path / name).stat()
        except OSError:
            return None
        return File(name, about.st_size, about.st_mtime_ns)

    def _files(self, below: str = "") -> Iterator[File]:
        try:
            with os.scandir(self.path / below) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as e:
            if not below or not isinstance(e, FileNotFoundError):  # a subfolder may be gone by now
                self.closed[str(self.path / below)] = f"cannot be looked into: {e.strerror or e}"
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from self._files(f"{below}{entry.name}/")
            elif Path(entry.name).suffix.lower() in self._suffixes:
                found_now = self.about(below + entry.name)
                if found_now is not None:
                    yield found_now
