"""Pictures that arrive to files in a folder, each once, however often it is delivered."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from tokcodec.errors import ArgumentError, OutputError
from tokcodec.files import atomic_file
from tokcodec.transport.base import Base

STREAM = ".tkc"
MEMORY = ".tokcodec-received.sqlite"
REMEMBERED = 1_000_000  # ids; the oldest are forgotten
_TABLES = """
    CREATE TABLE IF NOT EXISTS stored (
        place INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB UNIQUE NOT NULL
    );
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
        self._kind = Image.registered_extensions().get(suffix)
        if suffix != STREAM and self._kind not in Image.SAVE:
            raise ArgumentError(f"no picture can be written with the suffix {suffix!r}; try .png")
        self._base = Base(self.folder / MEMORY, _TABLES)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __contains__(self, identity: object) -> bool:
        """Whether a picture of that id was stored, even if its file is gone by now."""
        return self._base.one("SELECT 1 FROM stored WHERE id = ?", identity) is not None

    def put(self, identity: bytes, stream: bytes) -> Path | None:
        """Store a picture once; its file, or None if it was here before.

        Raises:
            OutputError: the folder cannot be written to; nothing is remembered.
            TokCodecError: as `draw` does.
        """
        if identity in self:
            return None
        path = self.replace(identity, stream)
        with self._base.together():
            self._base.do("INSERT INTO stored (id) VALUES (?)", identity)
            self._base.do(
                "DELETE FROM stored WHERE place <= (SELECT max(place) FROM stored) - ?", REMEMBERED
            )
        return path

    def replace(self, identity: bytes, stream: bytes) -> Path:
        """Store a picture in place of an earlier state of it; raises as `put`."""
        path = self.folder / f"{identity.hex()}{self._suffix}"
        data = stream
        if self._suffix != STREAM:
            out = io.BytesIO()
            picture = self._draw(stream)
            try:
                picture.save(out, self._kind)
            except (OSError, ValueError) as e:
                raise OutputError(f"cannot make a {self._suffix} file of it: {e}") from e
            data = out.getvalue()
        with atomic_file(path, overwrite=True) as f:
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        return path

    def close(self) -> None:
        """Let go of the memory."""
        self._base.close()
