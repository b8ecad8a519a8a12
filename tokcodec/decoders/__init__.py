"""What is known of a picture to pixels.

A decoder takes `Knowledge` and the size wanted, and gives uint8 (height, width, 3) of the picture,
whole or reduced, at least that large. It never changes a stream.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tokcodec import weights
from tokcodec.arguments import Size, check_size, is_number
from tokcodec.decoders.linear import linear
from tokcodec.decoders.stored import tokens_of
from tokcodec.decoders.trained import (
    ONNX,
    ONNX_SUFFIX,
    TORCH,
    USUAL,
    Setting,
    best_way,
    opened,
)
from tokcodec.errors import ArgumentError, ModelMismatchError
from tokcodec.model import Model
from tokcodec.pixels import geometry
from tokcodec.tokens.knowledge import Knowledge

Decoder = Callable[[Knowledge, tuple[int, int]], np.ndarray]
SHIPPED = weights.path("pyramid-decoder.safetensors")
NAMES = ("auto", "linear", "neural", ONNX, "realesrgan")
SUFFIXES = (".safetensors", ONNX_SUFFIX)  # of a trained decoder's file


def find(
    name: str | Path = "auto", realism: float | None = None, device: Any = None, dtype: Any = None
) -> Decoder:
    """The decoder of that name.

    Args:
        name: "auto" is the best that this machine can run; "linear" the inverse transform alone;
            "neural" the shipped network; "onnx" the same run by ONNX Runtime, without torch;
            "realesrgan" a network that others trained, which invents details; a path ending in
            .safetensors a trained decoder (`tokcodec train decoder`), in .onnx an exported one.
        realism: 0 (closest on average) to 1 (most natural looking); None is what the decoder's
            makers found best.
        device, dtype: where torch runs a network, "cpu" (None), "cuda", ..., and in which
            precision, "float32" (None) or "bfloat16"; the others run on the CPU.

    Raises:
        ArgumentError: there is no such decoder, what it needs is not installed, it knows only
            realism 0, or there is no such device or precision for it.
        InputError, DamagedModelError: its file cannot be read, or holds something else.
    """
    _check(realism)
    name, setting = str(name), Setting.of(device, dtype)
    if name in ("linear", "realesrgan") and setting != USUAL:
        raise ArgumentError(f"the decoder {name!r} works on the CPU: leave device and dtype out")
    if name == "auto":
        return _best(realism, setting)
    if name == "linear":
        return _only_zero(linear, name, realism)
    if name == "neural":
        return _shipped(realism, TORCH if setting != USUAL else best_way(), setting)
    if name == ONNX:
        return _shipped(realism, ONNX, setting)
    if name == "realesrgan":
        return _enhanced(realism)
    if name.endswith(SUFFIXES):
        return _own(Path(name), realism, setting)
    names, files = ", ".join(NAMES), ", ".join(f"*{s}" for s in SUFFIXES)
    raise ArgumentError(f"no decoder {name!r}; there are: {names}, or a file ({files})")


def picture(known: Knowledge, draw: Decoder, size: Size | None) -> Image.Image:
    """What is known, drawn at the picture's own size, or inside the frame `size`."""
    whole = known.order.width, known.order.height
    wanted = whole if size is None else geometry.fit(whole, check_size(size))
    drawn = Image.fromarray(draw(known, wanted))
    return drawn if drawn.size == wanted else drawn.resize(wanted, Image.Resampling.LANCZOS)


def _best(realism: float | None, setting: Setting) -> Decoder:
    if setting != USUAL:  # whoever names a device wants the network
        return _shipped(realism, TORCH, setting)
    if not SHIPPED.exists():
        return _only_zero(linear, "auto", realism)
    way = best_way()
    if way is None:
        if realism:
            raise ArgumentError(
                "a decoder with realism needs torch or ONNX Runtime: "
                "pip install 'tokcodec[neural]' or 'tokcodec[onnx]'"
            )
        return linear
    return _shipped(realism, way, setting)


def _shipped(realism: float | None, way: str | None, setting: Setting) -> Decoder:
    if not SHIPPED.exists():
        raise ArgumentError(
            "the shipped decoder is missing: install tokcodec again, or give the path of a file"
        )
    trained, tokens = _trained(SHIPPED, realism, way, setting)

    def best(known: Knowledge, size: tuple[int, int]) -> np.ndarray:
        """The trained decoder for the tokens that it draws."""
        ours = known.order.model.tokens_id in tokens
        return (trained if ours else linear)(known, size)

    return best


def _trained(
    path: Path, realism: float | None, way: str | None = None, setting: Setting = USUAL
) -> tuple[Decoder, tuple[str, ...]]:
    """The decoder in a file, and the identities of the tokens that it draws, if it says."""
    runtime, card = opened(path, way, setting)
    if realism and not runtime.shape.realism:
        raise ArgumentError(f"{path} was trained for realism 0 only")
    from tokcodec.decoders.neural import neural

    wanted = card.get("realism", 0.0) if realism is None else realism
    return partial(neural, runtime=runtime, realism=float(wanted)), tokens_of(card)


def _own(path: Path, realism: float | None, setting: Setting) -> Decoder:
    trained, tokens = _trained(path, realism, setting=setting)

    def own(known: Knowledge, size: tuple[int, int]) -> np.ndarray:
        """The trained decoder, and no other: whoever names one wants it."""
        check_own(path, tokens, known.order.model)
        return trained(known, size)

    return own


def check_own(path: str | Path, tokens: tuple[str, ...], model: Model) -> None:
    """Refuse the decoder in a file for the tokens of a model.

    Args:
        tokens: identities of those that it draws; none if it does not say.

    Raises:
        ModelMismatchError: it was trained for others.
    """
    if tokens and model.tokens_id not in tokens:
        raise ModelMismatchError(
            f"the decoder {path} was trained for the tokens of another model than {model.name}"
        )


def _enhanced(realism: float | None) -> Decoder:
    if realism is not None:
        raise ArgumentError("the decoder 'realesrgan' has one realism, its own; give none")
    from tokcodec.decoders.realesrgan import files, load, realesrgan

    return partial(realesrgan, network=load(files()))


def _only_zero(decoder: Decoder, name: str, realism: float | None) -> Decoder:
    if realism:
        raise ArgumentError(f"the decoder {name!r} knows only realism 0")
    return decoder


def _check(realism: float | None) -> None:
    if realism is None:
        return
    if not is_number(realism) or not 0 <= realism <= 1:
        raise ArgumentError(f"realism lies in 0..1, not {realism!r:.40}")
