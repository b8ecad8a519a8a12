"""A configuration to the sizes of a register tokenizer of one's own, and to text in its file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from math import prod
from typing import Any

from tokcodec.errors import ArgumentError, DamagedModelError

KIND = "tokcodec-register"  # of metadata in a file: the shape
CARD = "card"
LEVELS = (7, 5, 5, 5, 5)  # 4,375 different tokens, 12.1 bits (Mentzer et al., ICLR 2024, table 1)
# At most; a file that says more is not read. What is as large as its tensors is checked against
# them; attention takes the square of patches and tokens.
MAX_SIZES = {
    "side": 512, "patches": 4096, "tokens": 1024, "width": 4096, "depth": 64,
    "vocabulary": 1 << 20,
}  # fmt: skip
MAX_LEVELS = 12  # digits of a token: 3^13 is beyond the largest vocabulary


@dataclass(frozen=True)
class RegisterShape:
    """Sizes of both networks, and what each digit says at first.

    Attributes:
        side: pixels a side inside; patch: of a patch.
        tokens: registers; levels: values of each digit of a token.
        width, head: numbers of a vector, and of an attention head.
        encoder, decoder: blocks of each.
        slots: for each digit, token by token, the cosine that it refines (`own.skip`).
    """

    side: int = 64
    patch: int = 8
    tokens: int = 256
    levels: tuple[int, ...] = LEVELS
    width: int = 256
    head: int = 64
    encoder: int = 6
    decoder: int = 6
    slots: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Raises ArgumentError for sizes of which nothing can be built."""
        sizes = (v for v in asdict(self).values() if not isinstance(v, tuple))
        if any(type(v) is not int or v < 1 for v in sizes):
            raise ArgumentError("sizes of a register tokenizer are whole numbers above 0")
        if not 1 <= len(self.levels) <= MAX_LEVELS:
            raise ArgumentError(f"a register tokenizer has 1 to {MAX_LEVELS} levels")
        if any(type(v) is not int or not 3 <= v <= 255 for v in self.levels):
            raise ArgumentError("levels of a register tokenizer are whole numbers in 3..255")
        if self.side % self.patch or self.width % self.head:
            raise ArgumentError("side is a multiple of patch, and width of head")
        found = {
            "side": self.side, "patches": (self.side // self.patch) ** 2, "tokens": self.tokens,
            "width": self.width,
            "depth": max(self.encoder, self.decoder), "vocabulary": self.vocabulary,
        }  # fmt: skip
        for name, value in found.items():
            if value > MAX_SIZES[name]:
                raise ArgumentError(f"{name} of a register tokenizer is {MAX_SIZES[name]} at most")
        cosines = 3 * self.side**2
        if self.slots and len(self.slots) != self.tokens * len(self.levels):
            raise ArgumentError("there is a slot for every digit of a register tokenizer, or none")
        if any(type(v) is not int or not 0 <= v < cosines for v in self.slots):
            raise ArgumentError(f"slots of a register tokenizer are 0..{cosines - 1}")

    @property
    def vocabulary(self) -> int:
        """Number of different tokens."""
        return prod(self.levels)

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> RegisterShape:
        """The inverse of `to_json`.

        Raises:
            DamagedModelError: it is none.
        """
        try:
            found = json.loads(text)
            lists = {name: tuple(found[name]) for name in ("levels", "slots")}
            shape = cls(**found | lists)
        except (ValueError, TypeError, KeyError, RecursionError) as e:
            raise DamagedModelError(f"this is no shape of a register tokenizer: {e}") from e
        if not shape.slots:
            raise DamagedModelError("this register tokenizer does not say what its digits refine")
        return shape


SIZES = {
    "nano": {"patch": 16, "tokens": 32, "width": 64, "head": 32, "encoder": 2, "decoder": 2},
    "small": {},  # about 10 million parameters
    "base": {"width": 512, "encoder": 8, "decoder": 10},
}


def shape_from(table: Mapping[str, Any]) -> RegisterShape:
    """The [network] of a configuration: `size`, one of `SIZES` ("small"), and what differs from it.

    Raises:
        ArgumentError: unknown names, or sizes that make no sense.
    """
    given = dict(table)
    size = given.pop("size", "small")
    if not isinstance(size, str) or size not in SIZES:
        raise ArgumentError(f"size is one of {', '.join(SIZES)}, not {size!r:.40}")
    known = {f.name for f in fields(RegisterShape)} - {"slots"}
    if unknown := given.keys() - known:
        raise ArgumentError(f"a network has no {', '.join(sorted(unknown))}")
    given = SIZES[size] | given
    levels = given.get("levels", LEVELS)
    if not isinstance(levels, (list, tuple)):
        raise ArgumentError(f"levels of a register tokenizer are a list, not {levels!r:.60}")
    return RegisterShape(**given | {"levels": tuple(levels)})
