"""From the bytes of a register tokenizer's stream to tokens, written from docs/FORMAT.md alone.

Plain Python integers, the range decoder that pyramids have, nothing of tokcodec. It knows priors
by a network, since that is what shipped tokenizers have.
"""

from __future__ import annotations

import hashlib
import json
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.independent.header import read_header
from tests.independent.pyramid import TYPES
from tests.independent.range_decoder import RangeDecoder


def read_file(path: Path) -> tuple[dict[str, Any], dict[str, tuple[str, tuple, bytes]]]:
    """A safetensors file: its metadata, and each array's type, shape and bytes."""
    data = path.read_bytes()
    start = 8 + struct.unpack_from("<Q", data)[0]
    header = json.loads(data[8:start])
    metadata = header.pop("__metadata__")
    arrays = {}
    for name, said in header.items():
        first, last = (start + at for at in said["data_offsets"])
        arrays[name] = said["dtype"], tuple(said["shape"]), data[first:last]
    return metadata, arrays


def nested(kind: str, shape: tuple[int, ...], raw: bytes) -> Any:
    found = [number for (number,) in struct.iter_unpack(f"<{TYPES[kind][1]}", raw)]
    for size in reversed(shape[1:]):
        found = [found[i : i + size] for i in range(0, len(found), size)]
    return found


class Prior:
    """The network in a prior's file, and its hash."""

    def __init__(self, path: Path) -> None:
        metadata, arrays = read_file(path)
        self.said = json.loads(metadata["tokcodec-register-prior"])
        assert self.said["kind"] == "register-network-1"
        self.levels = self.said["levels"]
        meant = {"kind": self.said["kind"], "levels": self.levels}
        sha = hashlib.sha256(json.dumps(meant, separators=(",", ":")).encode())
        for name, (kind, shape, raw) in sorted(arrays.items()):
            sha.update(f"{name}:{TYPES[kind][0]}:{shape}".encode() + raw)
        self.sha256 = sha.hexdigest()
        for name, array in arrays.items():
            setattr(self, name, nested(*array))

    def frequencies(self, digits: list[int]) -> list[int]:
        """Of the values of the digit after these."""
        place, each = len(digits), len(self.levels)
        d, n = place % each, self.levels[place % each]
        sums = [0] * len(self.bias[place])
        for q, v in enumerate(digits):
            for k, heard in enumerate(self.heard[q]):
                code = self.codes[q % each][k][v]
                sums = [s + code * h for s, h in zip(sums, heard, strict=True)]
        hidden = [
            min(max((s >> 10) + b, 0), 32767) for s, b in zip(sums, self.bias[place], strict=True)
        ]
        ranks = range(len(self.codes[0]))
        u = [sum(h * t[k] for h, t in zip(hidden, self.told[place], strict=True)) >> 10
             for k in ranks]  # fmt: skip
        row = 0 if self.parents[place] < 0 else digits[self.parents[place]]
        z = [
            (1024 * self.logits[place][row][v] + sum(u[k] * self.meant[d][k][v] for k in ranks))
            >> 14
            for v in range(n)
        ]
        weights = [self.powers[min(max(z) - found, len(self.powers) - 1)] for found in z]
        f = [1 + w * (2**24 - n) // sum(weights) for w in weights]
        f[z.index(max(z))] += 2**24 - sum(f)
        return f


@lru_cache(maxsize=1)
def read_model(weights: Path, prior: Path) -> tuple[Prior, int, bytes]:
    """The prior of a quantised tokenizer, its number of tokens, and the identity of both."""
    metadata, _ = read_file(weights)
    shape, read = json.loads(metadata["tokcodec-register"]), Prior(prior)
    assert read.said["sha256"] == read.sha256
    meaning = {
        "checkpoint": metadata["quantised_from"],
        "family": "register",
        "format": 1,
        "length": shape["tokens"],
        "levels": shape["levels"],
        "prior": read.sha256,
        "settings": {},
    }
    text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
    return read, shape["tokens"], hashlib.sha256(text.encode()).digest()


def decode(data: bytes, weights: Path, prior: Path) -> tuple[list[int], int, bool]:
    """The ids of the whole tokens that a stream determines, how many digits it determines, and
    whether these are all."""
    read, length, sha256 = read_model(weights, prior)
    start = read_header(data, sha256)[-1]
    decoder, digits = RangeDecoder(data[start:]), []
    total = length * len(read.levels)
    while len(digits) < total and (d := decoder.value(read.frequencies(digits))) is not None:
        digits.append(d)
    ids = []
    for i in range(0, len(digits) - len(read.levels) + 1, len(read.levels)):
        number = 0
        for d, n in reversed([*zip(digits[i:], read.levels, strict=False)]):
            number = number * n + d
        ids.append(number)
    return ids, len(digits), len(digits) == total
