"""Keywords of the verbs, for editors and type checkers.

What each means stands with `codec.pyramid.Codec` and `register.codec.RegisterCodec`, whose verbs
take them; an option of the other family is refused. Which family it is the model decides, so that
no type checker can know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from pathlib import Path
from typing import Any, TypedDict

from tokcodec.arguments import Size
from tokcodec.errors import ArgumentError
from tokcodec.pixels.image import Colour
from tokcodec.reference import Given


class EncodeOptions(TypedDict, total=False):
    """Of both families, unless said otherwise."""

    quality: float | None  # pyramids: 0..100
    background: Colour  # RGB, 0..255
    bare: bool | str  # True, False or "size"
    max_pixels: int | None
    effort: int  # pyramids: 0..9
    decoder: str | Path  # pyramids: whose picture effort looks at
    reference: Given | None  # pyramids
    fit: str | None  # register tokenizers: "squash", "crop" or "pad"


class TokenizeOptions(TypedDict, total=False):
    """Of both families, unless said otherwise."""

    background: Colour  # RGB, 0..255
    max_pixels: int | None
    fit: str  # register tokenizers: "squash", "crop" or "pad"


class DecodeOptions(TypedDict, total=False):
    """Of both families, unless said otherwise."""

    decoder: str | Path
    realism: float | None  # 0..1
    max_pixels: int | None
    original_size: Size | None  # (width, height), of a stream without a header
    grey: bool  # of a stream without a header
    bare: bool | str  # True, False or "size", as it was written
    reference: Given | None  # pyramids
    device: Any  # pyramids: "cpu", "cuda", ... or a torch.device
    dtype: Any  # pyramids: "float32" or "bfloat16"
    fit: str  # register tokenizers, of a stream without a header
    steps: int  # FlexTok
    guidance: float | None  # FlexTok
    seed: int  # FlexTok
    projected: bool  # FlexTok


class StreamOptions(TypedDict, total=False):
    """Of `cut` and `info`, both families."""

    max_pixels: int | None
    original_size: Size | None  # (width, height), of a stream without a header
    grey: bool  # of a stream without a header
    bare: bool | str  # True, False or "size", as it was written


class UnpackOptions(StreamOptions, total=False):
    """Of both families, unless said otherwise."""

    fit: str  # register tokenizers, of a stream without a header


class DetokenizeOptions(TypedDict, total=False):
    """Of both families, unless said otherwise."""

    decoder: str | Path
    realism: float | None  # 0..1
    max_pixels: int | None
    device: Any  # pyramids: "cpu", "cuda", ... or a torch.device
    dtype: Any  # pyramids: "float32" or "bfloat16"
    steps: int  # FlexTok
    guidance: float | None  # FlexTok
    seed: int  # FlexTok
    projected: bool  # FlexTok


def check_family(verb: Callable[..., Any], options: Mapping[str, Any], both: type) -> None:
    """Refuse options that only the other family takes. Misspelt ones are left to Python.

    Args:
        verb: the codec's method that they are for.
        both: keywords of both families, a `TypedDict`.

    Raises:
        ArgumentError: the family has no such option.
    """
    takes = signature(verb).parameters
    if any(p.kind is p.VAR_KEYWORD for p in takes.values()):  # it tells by itself
        return
    for name in options:
        if name in both.__annotations__ and name not in takes:
            raise ArgumentError(f"{name} is for models of another family: leave it out")
