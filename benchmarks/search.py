"""A picture, a codec and limits in bytes to the best files within them, by any judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks.codecs import Codec, Settings, settings_text
from benchmarks.codecs.memo import Memo
from tokcodec.errors import InputError
from tokcodec.psnr import psnr

Judge = Callable[[np.ndarray, np.ndarray], float]
"""Original and decoded picture, uint8 (H, W, 3), to a number; higher is better."""

LEEWAY = 5.0
"""Decibels below the best PSNR from which on a file is not shown to a judge. On Kodak the files
best by LPIPS-Alex were at most 1.7 dB below for WebP, JPEG, AVIF and JPEG XL, among all their
qualities and scales, and 3.2 for JPEG 2000."""
KEPT = 256 << 20  # bytes of decoded pictures


class Found(NamedTuple):
    """A winner; its picture is decoded, uint8 (H, W, 3) at the original's size."""

    settings: Settings
    data: bytes
    picture: np.ndarray
    score: float


def best(
    codec: Codec, image: Image.Image, max_bytes: int, judge: Judge, full_size: bool = False
) -> Found | None:
    """The best of the codec's files of at most `max_bytes` bytes; None where nothing fits."""
    judges = {"": judge}
    all_scales, own = ({}, judges) if full_size else (judges, {})
    return winners(codec, image, [max_bytes], all_scales, own)[max_bytes, ""]


def winners(
    codec: Codec,
    image: Image.Image,
    targets: Iterable[int],
    judges: Mapping[str, Judge],
    full_size: Mapping[str, Judge] | None = None,
) -> dict[tuple[int, str], Found | None]:
    """The best file for every target and judge; None where nothing fits.

    A file that fits one target is compared at all larger ones, too, and judged once; a codec that
    is not searched gives each target its own file.

    Args:
        image: mode RGB.
        targets: limits in bytes.
        judges: by the name that the row will have in `chosen_by`.
        full_size: judges that see only files at the picture's own size. The same function under
            another name is not asked twice about one file.

    Raises:
        InputError: the codec decodes to a picture of another size or mode.
    """
    targets = sorted(set(targets))
    original = np.asarray(image)
    pictures = Memo(lambda data: _decoded(codec, data, original), lambda a: a.nbytes, KEPT)
    fidelity = Memo(lambda data: psnr(original, pictures(data)), lambda _: 1, 1 << 20)
    scores = Memo(lambda judge, data: judge(original, pictures(data)), lambda _: 1, 1 << 20)
    found: dict[tuple[int, str], Found | None] = {}
    for names, own in ((judges, False), (full_size or {}, True)):
        pool: dict[bytes, Settings] = {}
        for target in targets if names else []:
            if not codec.searched:
                pool = {}
            for settings, data in codec.fitting(image, target, own):
                pool.setdefault(data, settings)
            fits = [data for data in pool if len(data) <= target]
            floor = max(map(fidelity, fits), default=-inf) - LEEWAY
            near = [data for data in fits if fidelity(data) >= floor]
            for name, judge in names.items():
                # of equals the shortest, then the first by its settings' text
                order = {
                    data: (-scores(judge, data), len(data), settings_text(pool[data]))
                    for data in near
                }
                winner = min(near, key=order.__getitem__, default=None)
                found[target, name] = (
                    None
                    if winner is None
                    else Found(pool[winner], winner, pictures(winner), scores(judge, winner))
                )
    return found


def _decoded(codec: Codec, data: bytes, original: np.ndarray) -> np.ndarray:
    """A file's picture, which can be compared with the original."""
    height, width = original.shape[:2]
    picture = np.asarray(codec.decode(data, (width, height)))
    if picture.shape != original.shape or picture.dtype != original.dtype:
        raise InputError(
            f"{codec.name} decodes to {picture.dtype} {picture.shape}, wanted an RGB picture of "
            f"{width}x{height} pixels: {original.dtype} {original.shape}"
        )
    return picture
