"""Pictures as short lists of tokens, most telling first: any prefix is a picture.

>>> import tokcodec, numpy as np
>>> picture = np.linspace(0, 255, 64 * 64 * 3).astype(np.uint8).reshape(64, 64, 3)
>>> data = tokcodec.encode(picture, budget=32)
>>> tokcodec.info(data).tokens >= 32
True
>>> tokcodec.decode(data).size
(64, 64)
>>> len(tokcodec.cut(data, max_bytes=12))
12
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from PIL import Image

from tokcodec.arguments import check_are_tokens
from tokcodec.arriving import progressive
from tokcodec.codec import Codec, Picture, Size, codec_for, codec_of, load
from tokcodec.codec.options import (
    DecodeOptions,
    DetokenizeOptions,
    EncodeOptions,
    StreamOptions,
    TokenizeOptions,
    UnpackOptions,
    check_family,
)
from tokcodec.errors import TokCodecError, TokCodecWarning
from tokcodec.reference import background
from tokcodec.registry import ModelInfo, by_id, models
from tokcodec.stream.bundle import Bundle
from tokcodec.stream.info import Info
from tokcodec.tokens.tokens import Tokens
from tokcodec.version import VERSION

if TYPE_CHECKING:
    from tokcodec import link as link
    from tokcodec import transport as transport
    from tokcodec.register.codec import RegisterCodec

__version__ = VERSION
__all__ = [
    "Bundle", "Codec", "Info", "ModelInfo", "TokCodecError", "TokCodecWarning", "Tokens",
    "background", "cut", "decode", "detokenize", "encode", "info", "load", "models", "pack",
    "progressive", "register_pillow", "tokenize", "unpack",
]  # fmt: skip
_LATER = ("link", "transport")  # packages that are imported when they are first asked for

if not TYPE_CHECKING:  # which would take any name for one of ours

    def __getattr__(name: str) -> object:
        if name in _LATER:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        return sorted({*globals(), *_LATER})


def encode(
    picture: Picture,
    budget: int | str | None = None,
    max_bytes: int | None = None,
    psnr: float | None = None,
    *,
    model: str | Path | None = None,
    **options: Unpack[EncodeOptions],
) -> bytes:
    """A picture to a stream.

    Args:
        picture: PIL image, array, tensor, path, or the bytes of an image file.
        budget: tokens to keep: the shortest stream that determines so many (its last byte may
            determine a few more). "auto": as many as the picture deserves.
        max_bytes: the whole stream is never larger.
        psnr: decibels to reach at least. Of several limits the tightest wins; with none it is 32
            (register tokenizers keep all of their tokens instead, and know no decibels).
        model: a name that `models()` lists, or the path of one's own.
        options: quality (0 to 100), effort (0 to 9), reference, background, bare, max_pixels, ...,
            each as for `Codec.encode`, which also tells what is raised.
    """
    codec = load(_or_default(model))
    return codec.encode(picture, budget, max_bytes, psnr, **options)  # type: ignore[arg-type]


def decode(
    data: bytes,
    size: Size | None = None,
    *,
    model: str | Path | None = None,
    **options: Unpack[DecodeOptions],
) -> Image.Image:
    """A stream, or any prefix of one that has the whole header, to a picture.

    Args:
        data: the bytes.
        size: (width, height) to fit the picture into, without a full decode; never enlarged.
        model: streams name theirs. It is for custom models not loaded yet, and for bare streams.
        options: realism (0 to 1), decoder, reference, bare, original_size, max_pixels, device, ...,
            each as for `Codec.decode`, which also tells what is raised.
    """
    codec = _codec(data, model, options)
    check_family(codec.decode, options, DecodeOptions)
    return codec.decode(data, size, **options)  # type: ignore[arg-type, misc]


def cut(
    data: bytes,
    budget: int | None = None,
    max_bytes: int | None = None,
    *,
    model: str | Path | None = None,
    **options: Unpack[StreamOptions],
) -> bytes:
    """The prefix of a stream that `encode` would have given with these limits; see `Codec.cut`."""
    return _codec(data, model, options).cut(data, budget, max_bytes, **options)


def info(
    data: bytes,
    count: bool = True,
    *,
    model: str | Path | None = None,
    **options: Unpack[StreamOptions],
) -> Info:
    """What a stream says of itself; `count=False` reads the header only; see `Codec.info`."""
    return _codec(data, model, options).info(data, count, **options)


def tokenize(
    picture: Picture,
    budget: int | None = None,
    *,
    model: str | Path | None = None,
    **options: Unpack[TokenizeOptions],
) -> Tokens:
    """A picture to its first `budget` tokens, or all; see `Codec.tokenize`."""
    codec = load(_or_default(model))
    check_family(codec.tokenize, options, TokenizeOptions)
    return codec.tokenize(picture, budget, **options)  # type: ignore[misc]


def detokenize(
    tokens: Tokens, size: Size | None = None, **options: Unpack[DetokenizeOptions]
) -> Image.Image:
    """Tokens, all or a prefix, to a picture; see `Codec.detokenize`."""
    check_are_tokens(tokens)
    codec = codec_of(by_id(tokens.model))
    check_family(codec.detokenize, options, DetokenizeOptions)
    return codec.detokenize(tokens, size, **options)  # type: ignore[misc]


def pack(tokens: Tokens) -> bytes:
    """Tokens to a stream that determines these and no others; see `Codec.pack`."""
    check_are_tokens(tokens)
    return codec_of(by_id(tokens.model)).pack(tokens)


def unpack(
    data: bytes, *, model: str | Path | None = None, **options: Unpack[UnpackOptions]
) -> Tokens:
    """A stream to the whole tokens that it determines; see `Codec.unpack`."""
    codec = _codec(data, model, options)
    check_family(codec.unpack, options, UnpackOptions)
    return codec.unpack(data, **options)  # type: ignore[misc]


def _codec(
    data: bytes, model: str | Path | None, options: StreamOptions | DecodeOptions
) -> Codec | RegisterCodec:
    """The codec of the model named, else of the one that the stream names; a bare one names none,
    and is the default model's.
    """
    bare = options.get("original_size") is not None or options.get("bare")
    return load(_or_default(model)) if bare or model is not None else codec_for(data)


def _or_default(model: str | Path | None) -> str | Path:
    return "default" if model is None else model


def register_pillow() -> None:
    """Teach Pillow the suffix .tkc: `Image.open("x.tkc")` and `image.save("x.tkc", budget=64)`."""
    from tokcodec.bridges import pillow

    pillow.register()
