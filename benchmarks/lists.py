"""What follows an option, as in --bytes 64,256, to numbers."""

from __future__ import annotations

from collections.abc import Iterable

from tokcodec.errors import ArgumentError


def whole_numbers(text: str, option: str, least: int = 1, **words: int) -> list[int]:
    """ "64,128" to [64, 128], each once and in order; `words` stand for numbers.

    Raises:
        ArgumentError: it is no list of whole numbers from `least`; the message names the `option`.
    """
    try:
        numbers = sorted({words[w] if w in words else int(w) for w in text.split(",")})
    except ValueError:
        numbers = []
    if not numbers or numbers[0] < least:
        raise ArgumentError(
            f"--{option} takes whole numbers from {least}, with commas, as in 32,64; not {text!r}"
        )
    return numbers


def listed(numbers: Iterable[int]) -> str:
    """The inverse of `whole_numbers`, for what is usual."""
    return ",".join(map(str, numbers))
