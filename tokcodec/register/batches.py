"""Pictures to tokens and tokens to pictures, several at a time through the network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tokcodec.arguments import Size, check_size, is_whole
from tokcodec.errors import ArgumentError
from tokcodec.limits import MAX_PIXELS
from tokcodec.pixels import geometry, image
from tokcodec.pixels.image import WHITE, Colour, Picture
from tokcodec.register import square
from tokcodec.register.model import RegisterModel
from tokcodec.register.square import SQUASH, Finish
from tokcodec.tokens.tokens import Tokens

BATCH = 8  # pictures; on a CPU that would only cost memory
EMPTY = 128  # grey of a picture of which no token is known


def see(
    model: RegisterModel,
    pictures: Iterable[Picture],
    batch: int | None,
    fit: str = SQUASH,
    background: Colour = WHITE,
    max_pixels: int | None = MAX_PIXELS,
) -> Iterator[Tokens]:
    """All tokens of each picture; arguments as for `RegisterCodec.encode`."""
    for some in _batches(pictures, model, batch):
        squares, blanks = [], []
        for picture in some:
            rgb = image.to_rgb(picture, background, max_pixels)
            size = rgb.shape[1], rgb.shape[0]
            squares.append(square.enter(rgb, model.tokenizer.side, fit))
            way = SQUASH if size[0] == size[1] else fit
            blanks.append(model.tokens([], size, image.is_grey(rgb), way))
        pixels = torch.from_numpy(np.stack(squares)).to(device_of(model)).movedim(-1, 1)
        with torch.inference_mode():
            ids = model.tokenizer.ids(pixels.float() / 255).cpu().numpy()
        for blank, found in zip(blanks, ids, strict=True):
            yield replace(blank, ids=found)


def draw(
    model: RegisterModel,
    pictures: Sequence[Tokens],
    size: Size | None,
    batch: int | None,
    options: dict[str, Any],
    finish: Finish | None = None,
) -> list[Image.Image]:
    """Tokens of each picture to the picture, at its original size or inside the frame `size`.
    Those of one length go through the network together; `finish` is done to each when enlarged.
    """
    frame = None if size is None else check_size(size)
    drawn: dict[int, Image.Image] = {}
    for length in sorted({len(tokens) for tokens in pictures}):
        alike = [i for i, tokens in enumerate(pictures) if len(tokens) == length]
        for some in _batches(alike, model, batch):
            ids = np.stack([pictures[i].ids for i in some]).astype(np.int64)
            pixels = _pixels(model, torch.from_numpy(ids), options).movedim(1, -1)
            shown = (pixels * 255).round().to(torch.uint8).cpu().numpy()
            for i, one in zip(some, shown, strict=True):
                drawn[i] = _leave(one, pictures[i], frame, finish)
    return [drawn[i] for i in range(len(pictures))]


def _pixels(model: RegisterModel, ids: Tensor, options: dict[str, Any]) -> Tensor:
    side = model.tokenizer.side
    if not ids.shape[1]:
        return torch.full((len(ids), 3, side, side), EMPTY / 255)
    with torch.inference_mode():
        return model.tokenizer.pixels(ids.to(device_of(model)), **options)


def _leave(
    drawn: np.ndarray, tokens: Tokens, frame: Size | None, finish: Finish | None
) -> Image.Image:
    """A drawn square to the picture."""
    if tokens.grey:
        mean = np.rint(drawn.mean(-1, keepdims=True)).astype(np.uint8)
        drawn = np.repeat(mean, 3, -1)
    wanted = tokens.size if frame is None else geometry.fit(tokens.size, frame)
    return square.leave(drawn, tokens.size, wanted, tokens.fit, finish)


def device_of(model: RegisterModel) -> torch.device:
    """Where its network works."""
    return next(model.tokenizer.parameters()).device  # type: ignore[attr-defined]


def _batches(items: Iterable[Any], model: RegisterModel, size: int | None) -> Iterator[list[Any]]:
    """So many at a time; None: what suits the device where the network works."""
    if size is None:
        size = 1 if device_of(model).type == "cpu" else BATCH
    if not is_whole(size) or size < 1:
        raise ArgumentError(f"a batch has at least one picture, not {size!r:.40}")
    left = iter(items)
    while some := list(islice(left, size)):
        yield some
