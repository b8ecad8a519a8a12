"""The published register tokenizers that this package reads: what they are, where they are, and on
what terms. Loads no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log2, prod

RESEARCH = "Apache-2.0 code; weights for research purposes only (trained on ImageNet)"
PIECE = "Apache-2.0 code; weights trained on ImageNet: see the model card"
APPLE = "Apple ML Research Model licence: research only, no commercial use"
CODEBOOK = (4096,)
LARGE_CODEBOOK = (8192,)
FSQ = (8, 8, 8, 5, 5, 5)


@dataclass(frozen=True)
class Published:
    """A tokenizer on the Hugging Face hub.

    Attributes:
        name: short name, as `tokcodec.load` takes it.
        family: titok, one-d-piece or flextok.
        hub: owner and name on the hub.
        tokens: most tokens of a picture.
        fixed: all tokens are needed to draw well.
        levels: digits of a token, as in `Tokenizer`.
        millions: parameters, in 10^6, all networks together.
        licence: terms of the weights, shown before the first use.
    """

    name: str
    family: str
    hub: str
    tokens: int
    fixed: bool
    levels: tuple[int, ...]
    millions: float
    licence: str

    @property
    def vocabulary(self) -> int:
        return prod(self.levels)

    @property
    def bits(self) -> float:
        """Bits of a token without a prior."""
        return log2(self.vocabulary)

    @property
    def about(self) -> str:
        """All of that in a line."""
        count = f"{self.tokens} tokens" if self.fixed else f"1 to {self.tokens} tokens"
        return f"{count} of {self.bits:.4g} bits, {self.millions:g} M parameters, 256x256 inside"


def _titok(
    name: str, hub: str, tokens: int, millions: float, levels: tuple[int, ...] = CODEBOOK
) -> Published:
    address = f"yucornetto/tokenizer_titok_{hub}_imagenet"
    return Published(f"titok-{name}", "titok", address, tokens, True, levels, millions, RESEARCH)


def _piece(size: str, millions: float) -> Published:
    name, address = f"one-d-piece-{size.lower()}", f"turing-motors/One-D-Piece-{size}-256"
    return Published(name, "one-d-piece", address, 256, False, CODEBOOK, millions, PIECE)


def _flextok(name: str, millions: float) -> Published:
    address = f"EPFL-VILAB/flextok_{name.replace('-', '_')}"
    return Published(f"flextok-{name}", "flextok", address, 256, False, FSQ, millions, APPLE)


PUBLISHED = (
    _titok("l32", "l32", 32, 641.1),
    _titok("b64", "b64", 64, 204.8),
    _titok("s128", "s128", 128, 83.7),
    _titok("bl64", "bl64_vq8k", 64, 390, LARGE_CODEBOOK),
    _titok("bl128", "bl128_vq8k", 128, 390, LARGE_CODEBOOK),
    _titok("sl256", "sl256_vq8k", 256, 330, LARGE_CODEBOOK),
    _piece("S", 83.9),
    _piece("B", 205.3),
    _piece("L", 641.7),
    _flextok("d12-d12-in1k", 341.6),
    _flextok("d18-d18-in1k", 949.7),
    _flextok("d18-d28-in1k", 2540),
    _flextok("d18-d28-dfn", 2540),
)


def by_name(name: str) -> Published | None:
    """A published tokenizer by its short name."""
    return next((p for p in PUBLISHED if p.name == name), None)


def by_address(address: str) -> Published | None:
    """A published tokenizer by owner and name on the hub, whatever revision follows an `@`."""
    named = address.partition("@")[0].lower()
    return next((p for p in PUBLISHED if p.hub.lower() == named), None)
