"""The register tokenizers that come with tokcodec. What they are is known without torch, so that
their streams can be read, cut and passed on anywhere; the network is loaded when it has to look at
a picture or draw one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, cached_property
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from tokcodec import weights
from tokcodec.errors import ArgumentError, DamagedModelError
from tokcodec.mx.file import ORIGIN
from tokcodec.register.model import OWN, RegisterModel
from tokcodec.register.own.shape import KIND, RegisterShape
from tokcodec.register.prior import file as prior_file
from tokcodec.register.tokenizer import NO_TORCH, Tokenizer

if TYPE_CHECKING:
    from torch import Tensor, nn

# Name: code in the header. Append only; a code is never given to another model.
CODES = {"register-small": 3}


def weights_of(name: str) -> Path:
    """The file of a tokenizer's network, in an MX format."""
    return weights.path(f"{name}.safetensors")


def prior_of(name: str) -> Path:
    """The file of its prior."""
    return weights.path(f"{name}-prior.safetensors")


@cache
def shipped(name: str) -> RegisterModel:
    """A tokenizer that comes with tokcodec, by a name of `CODES`; its network works on the CPU in
    float32.

    Raises:
        DamagedModelError: its files are not what they were.
    """
    said = _metadata(name)
    try:
        origin = bytes.fromhex(said[ORIGIN])
        shape = RegisterShape.from_json(said[KIND])
    except (KeyError, ValueError) as e:
        raise DamagedModelError(f"{weights_of(name)} is no tokenizer that was quantised") from e
    prior = prior_file.read(prior_of(name), shape.levels, shape.tokens, origin.hex())
    return RegisterModel(name, OWN, Waiting(name, shape), origin, prior)


def about(name: str) -> str:
    """A line on what it is."""
    found = shipped(name).tokenizer
    return (
        f"1 to {found.length} tokens of {log2(found.vocabulary):.3g} bits without its prior, "
        f"{found.side}x{found.side} inside; what is finer the decoder of pyramid draws"
    )


class Waiting(Tokenizer):
    """A shipped tokenizer whose network is loaded when it is first used; without torch that is an
    `ArgumentError`.
    """

    shortest = 1

    def __init__(self, name: str, shape: RegisterShape) -> None:
        self._name = name
        self.side, self.length, self.levels = shape.side, shape.tokens, shape.levels
        self.vocabulary = shape.vocabulary

    @cached_property
    def _network(self) -> Any:
        try:
            from tokcodec.register.load import load
        except ImportError:
            raise ArgumentError(NO_TORCH) from None
        return load(self._name).model.tokenizer

    def ids(self, pixels: Tensor) -> Tensor:
        """See `Tokenizer`."""
        return self._network.ids(pixels)

    def pixels(self, ids: Tensor, **options: Any) -> Tensor:
        """See `Tokenizer`."""
        return self._network.pixels(ids, **options)

    def parameters(self) -> Iterator[nn.Parameter]:
        """Those of the network."""
        return self._network.parameters()


def _metadata(name: str) -> dict[str, str]:
    try:
        with safe_open(weights_of(name), "np") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as e:
        raise DamagedModelError(f"{weights_of(name)} is not as it was shipped: {e}") from e
