"""A file to the prior of a register tokenizer that it holds, and back: arrays of integers
(safetensors) and, in its metadata, what kind they are, whose, and their hash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import load, save

from tokcodec import files
from tokcodec.errors import DamagedModelError, ModelMismatchError
from tokcodec.register.prior.learned import Learned
from tokcodec.register.prior.network import Network
from tokcodec.register.prior.tables import Tables
from tokcodec.tensors import ordered

SAID = "tokcodec-register-prior"  # of metadata: what the file is for
KINDS: dict[str, type[Tables] | type[Network]] = {k.kind: k for k in (Tables, Network)}


def write(path: Path, prior: Learned, checkpoint: str, card: Mapping[str, str]) -> None:
    """A file of a prior for the tokenizer whose checkpoint has that hash, 64 hexadecimal digits."""
    said = {
        "kind": prior.kind, "levels": prior.levels, "checkpoint": checkpoint, "sha256": prior.id,
    }  # fmt: skip
    metadata = {SAID: json.dumps(said, sort_keys=True), "card": json.dumps(dict(card))}
    files.write_atomically(path, ordered(save(prior.arrays, metadata)), overwrite=True)


def read(path: Path, levels: tuple[int, ...], length: int, checkpoint: str) -> Learned:
    """The prior in a file, for a tokenizer of `length` tokens of `levels`.

    Raises:
        InputError: the file cannot be read.
        DamagedModelError: it holds no sound prior of a known kind.
        ModelMismatchError: it was learned for another tokenizer.
    """
    blob = files.read(path)
    try:
        arrays = load(blob)
        head = json.loads(blob[8 : 8 + int.from_bytes(blob[:8], "little")])
        said = json.loads(head["__metadata__"][SAID])
        kind, theirs, stated = said["kind"], said["checkpoint"], said["sha256"]
        if not all(type(values) is int for values in said["levels"]):  # 7.0 equals 7
            raise ValueError("levels are whole numbers")
        found = KINDS[kind](tuple(said["levels"]), **arrays) if kind in KINDS else None
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as e:
        raise DamagedModelError(f"{path} is no prior of a register tokenizer") from e
    if found is None:
        raise DamagedModelError(f"{path} holds a prior of a kind unknown here: {kind!r:.40}")
    if theirs != checkpoint or found.levels != levels:
        raise ModelMismatchError(f"{path} was learned for another tokenizer")
    if not found.sound(length) or found.id != stated:
        raise DamagedModelError(f"{path} is damaged: its numbers are not what it says they are")
    return found
