"""Tar files, folders and pictures to batches of training pictures of one size each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from tokcodec.train.images.files import photograph, places

# Training pictures (height, width), and how many of each to one of the first.
SHAPES = {
    (192, 288): 1.0,
    (256, 384): 0.5,
    (176, 176): 1.0,
    (128, 96): 1.5,
    (64, 96): 4.0,
}
# Photographs are scaled down by this at least: what they lack of sharpness, and what the codec they
# were kept with took away, would be counted as how pictures are.
SHRINK = 1.5
WHOLE = 0.5  # share of pictures taken as large as the shape allows; the others are random crops
BATCH_PIXELS = 3 << 20


def _photographs(paths: list[Path]) -> Iterator[Image.Image]:
    """Pictures from tar files, folders and files, in the order of `places`; what holds none, or
    too small a one, is left out.

    Raises:
        InputError: a path is not there, or no sound tar file.
    """
    for place in places(paths):
        if (image := photograph(place)) is not None:
            yield image


def batches(paths: list[Path], count: int, seed: int) -> list[np.ndarray]:
    """Batches, uint8 (n, height, width, 3), of photographs and crops of them, scaled down to one of
    `SHAPES`; none if no photograph is large enough.

    Args:
        count: pictures of the first shape; of each other one as many as `SHAPES` says beside one of
            them.

    Raises:
        InputError: a path is not there, or no sound tar file.
    """
    rng = np.random.default_rng(seed)
    found: dict[tuple[int, int], list[np.ndarray]] = {shape: [] for shape in SHAPES}
    for image in _photographs(paths):
        if all(len(found[s]) >= SHAPES[s] * count for s in SHAPES):
            break
        fitting = [
            s
            for s in SHAPES
            if min(image.height / s[0], image.width / s[1]) >= SHRINK
            and len(found[s]) < SHAPES[s] * count
        ]
        if not fitting:
            continue
        # Large ones are rare.
        shape = max(fitting) if rng.random() < 0.5 else fitting[rng.integers(len(fitting))]
        most = min(image.height / shape[0], image.width / shape[1])
        whole = rng.random() < WHOLE
        scale = most if whole else float(np.exp(rng.uniform(*np.log([SHRINK, most]))))
        h, w = min(image.height, round(shape[0] * scale)), min(image.width, round(shape[1] * scale))
        free = image.height - h, image.width - w
        y, x = (f // 2 if scale == most else int(rng.integers(f + 1)) for f in free)
        crop = image.crop((x, y, x + w, y + h)).resize(shape[::-1], Image.Resampling.LANCZOS)
        found[shape].append(np.asarray(crop))
    batches = []
    for (h, w), pictures in found.items():
        n = max(1, BATCH_PIXELS // (h * w))
        batches += [np.stack(pictures[i : i + n]) for i in range(0, len(pictures), n)]
    return batches
