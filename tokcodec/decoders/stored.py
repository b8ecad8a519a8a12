"""A trained decoder as it is kept, whatever runs it: shape, weights, and a card that tells where
they come from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import save

from tokcodec.decoders.shape import Shape
from tokcodec.errors import ArgumentError, DamagedModelError
from tokcodec.files import write_atomically
from tokcodec.mx.file import FORMAT, opened
from tokcodec.tensors import hash_arrays, ordered

KIND = "pyramid-decoder-1"
HASH = "weights_sha256"  # in a file's metadata: of the weights as they are kept there
EACH_BLOCK = 4  # weights of a block: of two layers, with biases


@dataclass(frozen=True)
class Stored:
    """`weights` by their names in `Network`, float16 or float32; `about` is the card: data, steps,
    configuration, licence, the realism that suits it best.
    """

    shape: Shape
    weights: dict[str, np.ndarray]
    about: dict[str, Any]

    def metadata(self) -> dict[str, str]:
        """What a file says beside the weights: of itself, and their hash."""
        said = {"kind": KIND, "shape": self.shape.to_json(), "card": json.dumps(self.about)}
        return said | {HASH: digest(self.weights)}

    def check(self, metadata: dict[str, str]) -> None:
        """ValueError unless the weights are those that the file was written with; older ones do not
        say.
        """
        if metadata.get(HASH) not in (None, digest(self.weights)):
            raise ValueError("its weights are not those it was written with")

    @classmethod
    def parse(
        cls, metadata: dict[str, str], names: Iterable[str], get: Callable[[str], np.ndarray]
    ) -> Stored:
        """From what a file says, the names of its weights, and what reads one, which is asked only
        if all else fits. KeyError, TypeError or ValueError if this is no decoder.
        """
        if metadata.get("kind") != KIND:
            raise ValueError(f"its kind is {metadata.get('kind')}, not {KIND}")
        shape, about = Shape.from_json(metadata["shape"]), _card(metadata.get("card", "{}"))
        names = set(names)
        if EACH_BLOCK * (sum(shape.blocks) + sum(shape.realism)) > len(names):
            # Before as many names as that are made up.
            raise ValueError("weights are missing or unknown: its shape has more blocks")
        wanted = shape.parameters()
        if odd := sorted(wanted.keys() ^ names):
            raise ValueError(f"weights are missing or unknown: {', '.join(odd[:3])}")
        weights = {name: get(name) for name in wanted}
        for name, size in wanted.items():
            if weights[name].shape != size or weights[name].dtype not in (np.float16, np.float32):
                raise ValueError(f"{name} is no {'x'.join(map(str, size))} floating-point numbers")
            if not np.isfinite(weights[name]).all():
                raise ValueError(f"{name} holds what is no number")
        return cls(shape, weights, about)


def _card(text: str) -> dict[str, Any]:
    """What a file says of itself; ValueError if that is no table, or one that cannot be used."""
    try:
        about = json.loads(text)
    except RecursionError:
        raise ValueError("its card is nested too deeply") from None
    if not isinstance(about, dict):
        raise ValueError("its card is no table")
    realism = about.get("realism", 0.0)
    if type(realism) not in (int, float) or not 0 <= realism <= 1:
        raise ValueError("the realism of its card does not lie in 0..1")
    if not isinstance(about.get("tokens", ""), str | list) or not all(
        isinstance(identity, str) for identity in tokens_of(about)
    ):
        raise ValueError("whose tokens it draws, its card tells neither in text nor in a list")
    return about


def tokens_of(about: Mapping[str, Any]) -> tuple[str, ...]:
    """The identities of the tokens (`Model.tokens_id`) that a decoder draws, as its card tells
    them: one, or a list; none if it does not say.
    """
    told = about.get("tokens") or []
    return (told,) if isinstance(told, str) else tuple(told)


def digest(weights: Mapping[str, np.ndarray]) -> str:
    """SHA-256 of all weights, in hexadecimal."""
    found = hashlib.sha256()
    hash_arrays(found, weights)
    return found.hexdigest()


def read(path: Path) -> Stored:
    """A decoder's file (.safetensors), in an MX format (which has a hash of its own) or not.

    Raises:
        InputError: the file cannot be read.
        DamagedModelError: it holds no decoder of this kind, or not the weights it was written with.
        ArgumentError: its weights are in an MX format, and ml_dtypes is not installed.
    """
    try:
        with opened(path) as file:
            kept = Stored.parse(file.metadata, file.names, file.get)
            if FORMAT not in file.metadata:
                kept.check(file.metadata)
            return kept
    except ArgumentError:  # a ValueError, too
        raise
    except DamagedModelError as e:
        raise DamagedModelError(f"no decoder for pyramids: {e}") from e
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError) as e:
        raise DamagedModelError(f"{path} holds no decoder for pyramids: {e}") from e


def write(path: Path, kept: Stored, overwrite: bool) -> None:
    """A decoder to its file (.safetensors), with its card and the hash of its weights.

    Raises:
        OutputExistsError, OutputError: it is there already, or cannot be written.
    """
    write_atomically(path, ordered(save(kept.weights, kept.metadata())), overwrite)
