"""Photographs of a set to square pictures of any size that have real detail at that size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps

from tokcodec.errors import ArgumentError

SINGLE = 256  # up to here a scene is one photograph, beyond a mosaic of many
TILE = 512  # longest side of a mosaic's tiles


def scenes(photographs: Sequence[Image.Image], side: int, count: int = 4) -> list[Image.Image]:
    """RGB pictures of `side` x `side` pixels, always the same for the same photographs.

    Up to 256 pixels the centre squares of the first `count` photographs, scaled with Lanczos; above
    that, one mosaic of square parts of all, at their own resolution, some mirrored: enlarged
    photographs would have no fine detail, and codecs that skip flat areas would look too fast.

    Raises:
        ArgumentError: no photograph, or `side` is below 1.
    """
    if not photographs or side < 1:
        raise ArgumentError(f"a scene wants a photograph and a side from 1, not {side}")
    if side <= SINGLE:
        return [
            ImageOps.fit(p, (side, side), Image.Resampling.LANCZOS) for p in photographs[:count]
        ]
    tile = min(TILE, min(min(p.size) for p in photographs))
    rng = np.random.default_rng(side)
    scene = Image.new("RGB", (side, side))
    places = [(x, y) for y in range(0, side, tile) for x in range(0, side, tile)]
    for number, place in enumerate(places):
        photograph = photographs[number % len(photographs)]
        left, top = (int(rng.integers(0, n - tile + 1)) for n in photograph.size)
        part = photograph.crop((left, top, left + tile, top + tile))
        scene.paste(ImageOps.mirror(part) if rng.integers(2) else part, place)
    return [scene]
