"""Arguments of the codecs to values that can be used, or one clear error."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from tokcodec.errors import ArgumentError, ModelMismatchError
from tokcodec.limits import MAX_SIDE
from tokcodec.tokens.tokens import Tokens

if TYPE_CHECKING:
    from tokcodec.registry import AnyModel

Size = tuple[int, int]  # (width, height), as in PIL


def as_bytes(data: bytes) -> bytes:
    """A stream as bytes."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise ArgumentError(f"a stream is bytes, not {type(data).__name__}; read the file first")
    return bytes(data)


def check_several(pictures: object) -> None:
    """Raise ArgumentError for one picture or stream where several are wanted: its rows, letters or
    bytes would each be taken for one.
    """
    one = isinstance(pictures, (str, bytes, bytearray, memoryview, os.PathLike))
    one |= getattr(pictures, "ndim", 0) in (2, 3)
    if one or not isinstance(pictures, Iterable):
        raise ArgumentError(
            f"a batch is a list of pictures or streams, not one {type(pictures).__name__}"
        )


def check_size(size: Size) -> Size:
    """A size as two whole numbers that a header can hold."""
    try:
        width, height = (int(v) for v in size)
        if isinstance(size, str) or (width, height) != tuple(size):
            raise ValueError(size)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(f"a size is (width, height), not {size!r:.40}") from None
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        raise ArgumentError(f"a size lies in 1..{MAX_SIDE} pixels, not {width} x {height}")
    return width, height


def check_are_tokens(tokens: object) -> None:
    """Refuse what holds no tokens."""
    if not isinstance(tokens, Tokens):
        raise ArgumentError(f"Tokens are wanted, as tokenize gives them, not {tokens!r:.40}")


def check_tokens(tokens: Tokens, model: AnyModel) -> Size:
    """The size of the picture that tokens of `model` show; tokens of another one are refused."""
    check_are_tokens(tokens)
    if tokens.model != model.id:
        raise ModelMismatchError(
            f"the tokens belong to the model {tokens.model[:16]}..., not to {model.name}"
        )
    return check_size(tokens.size)


def check_limits(
    budget: int | None, max_bytes: int | None, decibels: float | None = None
) -> tuple[int | None, int | None]:
    """Tokens and bytes as Python's own integers, which do not overflow; limits that mean nothing
    are refused.
    """
    if decibels is not None and not (is_number(decibels) and 0 <= decibels <= 100):
        raise ArgumentError(f"psnr must lie in 0..100 dB, not {decibels!r:.40}")
    return _whole("budget", budget), _whole("max_bytes", max_bytes)


def short(value: object) -> str:
    """A value as messages show it: never long, however much it stands for (aliases of YAML)."""
    return reprlib.repr(value)[:60]


def is_whole(value: object) -> bool:
    """Whether it is a whole number, Python's or numpy's."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: object) -> bool:
    """Whether it is a real number, Python's or numpy's, finite or not."""
    real = isinstance(value, (int, float, np.integer, np.floating))
    return real and not isinstance(value, bool)


def _whole(name: str, value: int | None) -> int | None:
    if value is None:
        return None
    if not is_whole(value) or value < 0:
        raise ArgumentError(f"{name} must be a whole number from 0, not {value!r:.40}")
    return int(value)
