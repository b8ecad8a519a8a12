"""The name of an image set, or a folder, to the pictures in it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image

from tokcodec.errors import ArgumentError, InputError, TokCodecWarning
from tokcodec.files import make_folder, read, write_atomically
from tokcodec.pixels.image import to_rgb

KODAK = "TOKCODEC_KODAK"  # environment variable: folder with kodim01.png ... kodim24.png
KODAK_FILES, KODAK_COUNT = "kodim[0-9][0-9].png", 24
SQUARE = 256
SIDE = 256  # longer side of the default set
PHOTOGRAPHS = (  # of scikit-image: colour photographs, no charts, no scans
    "astronaut", "chelsea", "coffee", "hubble_deep_field", "motorcycle_left", "rocket",
)  # fmt: skip
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".ppm", ".avif", ".jp2"}
SUMS = "pictures.sha256"  # file beside rows: what the pictures of a folder were
NAMES = "surrogateescape"  # of files need not be UTF-8
SETS = ("scikit-image", "kodak256", "kodak")

Loader = Callable[[], Image.Image]


def pictures(name: str) -> dict[str, Loader]:
    """Pictures by name, each as a function that loads it: RGB, no metadata.

    Args:
        name: "scikit-image" (photographs that come with that package, longer side at most 256),
            "kodak" (768x512, 24 of them), "kodak256" (their centre squares, Lanczos to 256x256), or
            a folder. Kodak is looked for in the folder that `TOKCODEC_KODAK` names; a warning says
            so where not all of it is there.

    Raises:
        ArgumentError: no such set and no such folder.
        InputError: the set is not on this machine. (A picture that cannot be read raises it when
            loaded.)
    """
    if name == "scikit-image":
        return {k: partial(_thumbnail, p) for k, p in _scikit_image().items()}
    if name == "kodak":
        return {p.stem: partial(load, p) for p in _kodak()}
    if name == "kodak256":
        return {p.stem: partial(_square, p) for p in _kodak()}
    folder = Path(name)
    if not folder.is_dir():
        raise ArgumentError(f"no image set or folder {name!r}; sets: {', '.join(SETS)}")
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not found:
        raise InputError(f"the folder {name} holds no picture")
    return {p.relative_to(folder).as_posix(): partial(load, p) for p in found}


def set_name(name: str, out: Path | None = None, usual: Path | None = None) -> str:
    """What rows of a set or folder are named after: the last part of its path, whole.

    Args:
        out: folder of the rows, None where the sets' own rows are.
        usual: where the sets' own rows are, too, if there is such a folder.

    Raises:
        ArgumentError: a folder named like a set, whose rows would get among that set's.
    """
    if name in SETS:
        return name
    last = Path(name).resolve().name
    apart = out is not None and (usual is None or out.resolve() != usual.resolve())
    if last in SETS and not apart:
        raise ArgumentError(
            f"the folder {name} is named like the set {last}, whose rows its own would get among: "
            "give another --out"
        )
    return last


def check_same(name: str, sums: Path, remember: bool = True) -> None:
    """See that rows are of these pictures: rows know them by their names alone. What is in a set
    never changes; of the pictures of a folder the file `sums`, beside the rows, remembers what
    they were, and is told of new ones unless `remember` is False.

    Raises:
        InputError: a picture was another one when its rows were measured, or cannot be read.
        OutputError: `sums` cannot be written.
    """
    if name in SETS:
        return
    now = {key: sha256(read(Path(name) / key)).hexdigest() for key in pictures(name)}
    before = dict[str, str]()
    if sums.exists():
        lines = read(sums).decode("utf-8", NAMES).splitlines()
        before = {key: sum for sum, _, key in (line.partition("  ") for line in lines)}
    if other := sorted(key for key in now if before.get(key, now[key]) != now[key]):
        raise InputError(
            f"the rows beside {sums} are of another {other[0]} than {Path(name) / other[0]}: give "
            "another --out, or remove them"
        )
    if not remember:
        return
    make_folder(sums.parent)
    text = "".join(f"{sum}  {key}\n" for key, sum in sorted((before | now).items()))
    write_atomically(sums, text.encode("utf-8", NAMES), overwrite=True)


def load(path: Path) -> Image.Image:
    """A picture file as RGB pixels alone: no profile that a rival would have to carry."""
    return Image.fromarray(to_rgb(path, max_pixels=None))


def _scikit_image() -> dict[str, Path]:
    try:
        from skimage.data import data_dir
    except ImportError:
        raise InputError(
            "the default pictures come with scikit-image: pip install scikit-image"
        ) from None
    return {p.stem: p for p in sorted(Path(data_dir).iterdir()) if p.stem in PHOTOGRAPHS}


def _kodak() -> list[Path]:
    folder = os.environ.get(KODAK)
    found = sorted(Path(folder).glob(KODAK_FILES)) if folder else []
    if not found:
        raise InputError(
            f"no Kodak pictures: set {KODAK} to the folder that holds kodim01.png to kodim24.png"
        )
    if len(found) != KODAK_COUNT:
        _not_all(str(folder), len(found))
    return found


@cache  # once a process: sets are asked for again and again
def _not_all(folder: str, count: int) -> None:
    text = f"{folder} holds {count} of Kodak's {KODAK_COUNT} pictures: means are over these alone"
    warnings.warn(text, TokCodecWarning, stacklevel=4)


def _thumbnail(path: Path) -> Image.Image:
    image = load(path)
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return image


def _square(path: Path) -> Image.Image:
    image = load(path)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    return Image.fromarray(np.asarray(image.resize((SQUARE, SQUARE), Image.Resampling.LANCZOS)))
