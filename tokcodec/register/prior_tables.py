"""Counted integer tables as a `Prior`, and the file that holds them: a row for each place of a
digit and, where it helps, for each value of one earlier digit (its parent: Chow and Liu,
"Approximating Discrete Probability Distributions with Dependence Trees", 1968).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from tokcodec.errors import DamagedModelError, InputError, ModelMismatchError
from tokcodec.files import write_atomically
from tokcodec.model import TOTAL

KIND = "register-tables-1"
SAID = "tokcodec-register-prior"  # of metadata in a file: what it is for


@dataclass(frozen=True, eq=False)
class Tables:
    """A `Prior` of counted frequencies. A place is a digit's in a picture: token * D + digit.

    Attributes:
        levels: digits of a token, the number of values of each.
        parents: int32 (places,), the place that a digit's row depends on, or -1.
        frequencies: uint32 (places, contexts, values): of each value, by the parent's value (by 0
            without one); each row sums to 2**24, and is 0 past the digit's values.
    """

    levels: tuple[int, ...]
    parents: np.ndarray = field(repr=False)
    frequencies: np.ndarray = field(repr=False)

    @cached_property
    def id(self) -> str:
        """SHA-256 of all that is in it (docs/FORMAT.md, "Register tokenizers")."""
        said = json.dumps({"kind": KIND, "levels": list(self.levels)}, separators=(",", ":"))
        h = hashlib.sha256(said.encode())
        for name, array in sorted(self.arrays.items()):
            h.update(f"{name}:{array.dtype.name}:{array.shape}".encode())
            h.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
        return h.hexdigest()

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """By the names that they have in a file."""
        return {"parents": self.parents, "frequencies": self.frequencies}

    def weights(self, digits: Sequence[int]) -> np.ndarray:
        """See `Prior`."""
        place = len(digits)
        parent = self.parents[place]
        row = self.frequencies[place, 0 if parent < 0 else digits[parent]]
        return row[: self.levels[place % len(self.levels)]].astype(np.float64) - 1

    def bits(self, digits: np.ndarray) -> float:
        """Mean bits of a picture's digits, (pictures, places)."""
        places = np.arange(digits.shape[1])
        context = np.where(self.parents < 0, 0, digits[:, self.parents])
        found = self.frequencies[places, context, digits]
        return float((np.log2(TOTAL) - np.log2(found)).sum(1).mean())


def write(path: Path, tables: Tables, checkpoint: str, card: Mapping[str, str]) -> None:
    """A file of tables for the tokenizer whose checkpoint has that hash (64 hexadecimal digits)."""
    said = {"kind": KIND, "levels": tables.levels, "checkpoint": checkpoint, "sha256": tables.id}
    metadata = {SAID: json.dumps(said, sort_keys=True), "card": json.dumps(dict(card))}
    write_atomically(path, save(tables.arrays, metadata), overwrite=True)


def read(path: Path, levels: tuple[int, ...], length: int, checkpoint: str) -> Tables:
    """The tables in a file, for a tokenizer of `length` tokens of `levels`.

    Raises:
        InputError: the file cannot be read.
        DamagedModelError: it holds no sound tables.
        ModelMismatchError: they were counted for another tokenizer.
    """
    try:
        blob = path.read_bytes()
        arrays = load(blob)
        head = json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])
        said = json.loads(head["__metadata__"][SAID])
        kind, theirs, stated = said["kind"], said["checkpoint"], said["sha256"]
        tables = Tables(tuple(said["levels"]), arrays["parents"], arrays["frequencies"])
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror or e}") from e
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as e:
        raise DamagedModelError(f"{path} is no prior of a register tokenizer") from e
    if kind != KIND:
        raise DamagedModelError(f"{path} holds a prior of a kind unknown here: {kind!r:.40}")
    if theirs != checkpoint or tables.levels != levels:
        raise ModelMismatchError(f"{path} was counted for another tokenizer")
    if not _sound(tables, length) or tables.id != stated:
        raise DamagedModelError(f"{path} is damaged: its tables are not what it says they are")
    return tables


def _sound(tables: Tables, length: int) -> bool:
    """Whether every digit has a row for all that may come before it."""
    levels, parents, found = tables.levels, tables.parents, tables.frequencies
    places = length * len(levels)
    if (parents.dtype, found.dtype) != (np.int32, np.uint32) or parents.shape != (places,):
        return False
    if found.ndim != 3 or len(found) != places or found.shape[2] != max(levels):
        return False
    values = np.tile(levels, length)
    before = np.where(parents < 0, 1, values[parents])
    if (parents < -1).any() or (parents >= np.arange(places)).any():
        return False
    if before.max() > found.shape[1]:
        return False
    used = np.arange(found.shape[1]) < before[:, None]
    inside = np.arange(found.shape[2]) < values[:, None]
    fits = np.where(inside[:, None], found > 0, found == 0).all(2)
    return bool(((fits & (found.sum(2, dtype=np.uint64) == TOTAL)) | ~used).all())
