"""A tokenizer, its prior and its name to the identity that streams refer to."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tokcodec.register.payload import Code
from tokcodec.register.prior.interface import Prior
from tokcodec.register.tokenizer import Tokenizer
from tokcodec.tokens.tokens import Tokens

FORMAT = 1
OWN = "register"  # family of tokenizers that `tokcodec train register` makes


@dataclass(frozen=True, eq=False)
class RegisterModel:
    """All that turns pictures into tokens, and tokens into bytes and pictures.

    Attributes:
        name: what people call it.
        family: titok, one-d-piece, flextok or register.
        tokenizer: the network, on the device and in the precision it works with.
        checkpoint: SHA-256 of its weights' file, as it was before it was quantised; 32 bytes.
        prior: frequencies of digits.
        settings: what gives tokens their meaning and is not in that file.
    """

    name: str
    family: str
    tokenizer: Tokenizer = field(repr=False)
    checkpoint: bytes = field(repr=False)
    prior: Prior = field(repr=False)
    settings: dict[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def sha256(self) -> bytes:
        """The identity (docs/FORMAT.md, "Register tokenizers"): SHA-256 of what tokens mean and how
        they are written, whatever precision the network works with.
        """
        meaning = {
            "family": self.family,
            "format": FORMAT,
            "checkpoint": self.checkpoint.hex(),
            "settings": self.settings,
            "levels": list(self.tokenizer.levels),
            "length": self.tokenizer.length,
            "prior": self.prior.id,
        }
        text = json.dumps(meaning, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()

    @property
    def id(self) -> str:
        """The identity as 64 hexadecimal digits."""
        return self.sha256.hex()

    @property
    def code(self) -> Code:
        """How its tokens are written."""
        return Code(self.tokenizer.levels, self.tokenizer.length, self.prior)

    def tokens(self, ids: Any, size: tuple[int, int], grey: bool, fit: str) -> Tokens:
        """Ids of its own, and what became of their picture, of `size` (width, height)."""
        return Tokens(ids, self.id, size, grey, self.tokenizer.vocabulary, fit)

    @property
    def fixed(self) -> bool:
        """It draws well from all of its tokens only."""
        return self.tokenizer.shortest == self.tokenizer.length
