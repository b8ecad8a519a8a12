"""Photographs to the digits of their register tokens, for what learns how likely digits are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from tokcodec.errors import InputError
from tokcodec.register.batches import see
from tokcodec.terminal import watched
from tokcodec.train.images.files import Place, photograph

if TYPE_CHECKING:
    from tokcodec.register.codec import RegisterCodec

WHOLE = 0.5  # share of pictures that are whole photographs; the others are random parts


def pictures(
    chosen: Sequence[Place], count: int, rng: np.random.Generator, mirrored: bool = False
) -> Iterator[Image.Image]:
    """So many photographs, or parts of them: each comes again when all have been seen.

    Args:
        mirrored: whether half of them are seen in a mirror.

    Raises:
        InputError: none of the files is a photograph.
    """
    bar = tqdm(total=count, unit="picture", disable=not watched())
    left = count
    while left:
        before = left
        for i in rng.permutation(len(chosen)):
            image = photograph(chosen[i]) if left else None
            if image is not None:
                part = image if rng.random() < WHOLE else _part(image, rng)
                yield ImageOps.mirror(part) if mirrored and rng.random() < 0.5 else part
                left -= 1
                bar.update()
        if left == before:
            raise InputError("no photographs to learn from")
    bar.close()


def _part(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A random rectangle, each side at least a half of the picture's."""
    width, height = (int(n * rng.uniform(0.5, 1)) for n in image.size)
    x, y = int(rng.integers(image.width - width + 1)), int(rng.integers(image.height - height + 1))
    return image.crop((x, y, x + width, y + height))


def digits_of(codec: RegisterCodec, images: Iterable[Image.Image]) -> np.ndarray:
    """Digits, int64 (pictures, places), of all tokens of each picture."""
    code = codec.model.code
    found = [code.digits(t.ids.tolist()) for t in see(codec.model, images, codec.batch)]
    return np.array(found, np.int64)
