"""A model's name, file or stream to the codec: the model with the verbs encode, decode, cut, ...

`tokcodec.codec.pyramid` has them for pyramids, `tokcodec.register.codec` for register tokenizers.
"""

from __future__ import annotations

from os import PathLike, fsencode, fspath
from pathlib import Path
from typing import Any

from tokcodec import registry
from tokcodec.arguments import Size, as_bytes
from tokcodec.codec.pyramid import Codec
from tokcodec.errors import ArgumentError, InputError
from tokcodec.model import Model
from tokcodec.pixels.image import Picture
from tokcodec.register import shipped as tokenizers
from tokcodec.register.checkpoints.sources import names_tokenizer
from tokcodec.register.codec import RegisterCodec
from tokcodec.register.tokenizer import NO_TORCH
from tokcodec.stream import header as headers

MAX_NAME, MAX_PATH = 255, 4095  # bytes of a file's name, and of a path

__all__ = ["Codec", "Picture", "Size", "codec_for", "codec_of", "load"]


def load(
    name_or_path: str | Path = "default",
    *,
    device: Any = None,
    dtype: Any = None,
    prior: str | Path | None = None,
) -> Codec | RegisterCodec:
    """The codec of a model.

    Args:
        name_or_path: a name that `models()` lists ("default" is "pyramid-3"), the path of a model's
            file, "hf-hub:owner/name", or the folder or file of a published tokenizer's checkpoint
            (docs/guides/register.md).
        device, dtype: where and in which precision a register tokenizer works: "cpu" (None) or
            "cuda", "float32" (None) or "bfloat16".
        prior: of a register tokenizer: file of `tokcodec train prior` or `register-prior`.

    Raises:
        UnknownModelError: no such name, no such file.
        InputError: it cannot be read or downloaded.
        DamagedModelError: the file is no sound model file.
        ModelMismatchError: the prior was learned for another tokenizer.
        ArgumentError: the name is none, the device or precision makes no sense here, or a package
            is missing.
    """
    if not _is_path(name_or_path):
        raise ArgumentError(f"a model is a name or a path, not {name_or_path!r:.40}")
    if prior is not None and not _is_path(prior):
        raise ArgumentError(f"a prior is the path of a file, not {prior!r:.40}")
    try:
        return _load(name_or_path, device, dtype, prior)
    except OSError as e:  # it lies in a folder that is closed
        raise InputError(f"cannot read {name_or_path}: {e.strerror or e}") from e


def _load(
    name_or_path: str | Path, device: Any, dtype: Any, prior: str | Path | None
) -> Codec | RegisterCodec:
    name = str(name_or_path)
    usual = all(option is None for option in (device, dtype, prior))
    if name not in ("default", *registry.PYRAMIDS) and names_tokenizer(name_or_path):
        if usual and name in tokenizers.CODES:
            codec = RegisterCodec(tokenizers.shipped(name))  # its network can wait
        else:
            try:
                from tokcodec.register.load import load as load_now
            except ImportError:
                raise ArgumentError(NO_TORCH) from None
            codec = load_now(name_or_path, device, dtype, prior)
        registry.keep(codec.model)
        return codec
    if not usual:
        raise ArgumentError(
            "device, dtype and prior are for register tokenizers, and a pyramid is loaded without: "
            "leave them out (decode takes a device and a dtype for what it draws with)"
        )
    return Codec(registry.open_model(name_or_path))


def _is_path(given: object) -> bool:
    """Whether it may be a name, or the path of something that may not be there."""
    text = fspath(given) if isinstance(given, (str, PathLike)) else b""
    if not isinstance(text, str):
        return False
    try:
        whole = fsencode(text)
    except UnicodeEncodeError:
        return False
    parts = whole.split(b"/")
    short = len(whole) <= MAX_PATH and all(len(p) <= MAX_NAME for p in parts)
    return any(parts) and short and b"\0" not in whole


def codec_for(data: bytes) -> Codec | RegisterCodec:
    """The codec that a stream asks for in its header."""
    header, _ = headers.parse(as_bytes(data))
    return codec_of(registry.model_for(header.model, header.hash))


def codec_of(model: registry.AnyModel) -> Codec | RegisterCodec:
    """A model, of whatever family, with its verbs."""
    if isinstance(model, Model):
        return Codec(model)
    return RegisterCodec(model)
