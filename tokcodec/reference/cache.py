"""References that were read last, for the next picture of a sequence."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from tokcodec.model import Model

if TYPE_CHECKING:
    from tokcodec.reference.known import Reference

MAX_REFERENCES = 4
MAX_BYTES = 128 << 20  # of their coefficients: one of 11 megapixels in colour, or 33 in grey

_Read = Callable[[Model, tuple[bytes, ...]], "Reference"]


class Cache:
    """What `read` gave for the streams asked for last, within `MAX_REFERENCES` and `MAX_BYTES`."""

    def __init__(self, read: _Read) -> None:
        self._read, self._lock = read, Lock()
        self._found: OrderedDict[tuple[Model, tuple[bytes, ...]], Reference] = OrderedDict()

    def __call__(self, model: Model, streams: tuple[bytes, ...]) -> Reference:
        key = model, streams
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
                return self._found[key]
        found = self._read(model, streams)  # asks for what it rests on: not under the lock
        if found.size <= MAX_BYTES:  # a larger one would drive out all others for nothing
            with self._lock:
                self._found[key] = found
                self._found.move_to_end(key)
                while len(self._found) > MAX_REFERENCES or self._size() > MAX_BYTES:
                    self._found.popitem(last=False)
        return found

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._found.clear()

    def _size(self) -> int:
        return sum(reference.size for reference in self._found.values())
