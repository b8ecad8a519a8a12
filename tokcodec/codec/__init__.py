"""A model's name, file or stream to the codec: the model with the verbs encode, decode, cut, ...

`tokcodec.codec.pyramid` has them for pyramids, `tokcodec.register.codec` for register tokenizers.
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tokcodec import weights
from tokcodec.arguments import Size, as_bytes
from tokcodec.codec.pyramid import Codec
from tokcodec.errors import ArgumentError
from tokcodec.model import Model
from tokcodec.pixels.image import Picture
from tokcodec.register.sources import names_tokenizer
from tokcodec.stream import header as headers

if TYPE_CHECKING:
    from tokcodec.register.codec import RegisterCodec

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
        name_or_path: a name that `models()` lists ("default" is "pyramid"), the path of a model's
            file, "hf-hub:owner/name", or the folder or file of a published tokenizer's checkpoint
            (docs/guides/register.md).
        device, dtype: where and in which precision a register tokenizer works: "cpu" (None) or
            "cuda", "float32" (None) or "bfloat16".
        prior: of a register tokenizer: file of `tokcodec train prior` or `register-prior`.

    Raises:
        UnknownModelError: no such name, no such file.
        InputError: it cannot be read or downloaded.
        DamagedModelError: the file is no sound model file.
        ArgumentError: the name is none, the device or precision makes no sense here, or a package
            is missing.
    """
    if not isinstance(name_or_path, (str, PathLike)):
        raise ArgumentError(f"a model is a name or a path, not {name_or_path!r:.40}")
    shipped = str(name_or_path) in ("default", *weights.SHIPPED)
    if not shipped and names_tokenizer(name_or_path):
        try:
            from tokcodec.register.load import load as load_tokenizer
        except ImportError:
            raise ArgumentError(
                "register tokenizers need torch: pip install 'tokcodec[neural]'"
            ) from None
        return load_tokenizer(name_or_path, device, dtype, prior)
    if any(option is not None for option in (device, dtype, prior)):
        raise ArgumentError(
            "device, dtype and prior are for register tokenizers; a pyramid needs none"
        )
    return Codec(weights.open_model(name_or_path))


def codec_for(data: bytes) -> Codec | RegisterCodec:
    """The codec that a stream asks for in its header."""
    header, _ = headers.parse(as_bytes(data))
    return codec_of(weights.model_for(header))


def codec_of(model: weights.AnyModel) -> Codec | RegisterCodec:
    """A model, of whatever family, with its verbs."""
    if isinstance(model, Model):
        return Codec(model)
    from tokcodec.register.codec import RegisterCodec
    from tokcodec.register.model import RegisterModel

    return RegisterCodec(cast(RegisterModel, model))
