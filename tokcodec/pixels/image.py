"""Any picture to 8-bit RGB as a person sees it: upright, in sRGB, on a background."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, Any

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from tokcodec.arguments import is_number
from tokcodec.errors import ArgumentError, ImageTooLargeError, InputError, TokCodecError
from tokcodec.limits import MAX_SIDE

Picture = Any  # PIL image, array, CHW tensor, path, the bytes of an image file, or an open one
Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
# Pillow recognises them and no more; but EPS is a program, which it has Ghostscript run.
NEVER_READ = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}
HARMLESS = 1 << 22  # pixels that may be made room for before a size is judged
OVERSHOOT = 1e-6  # of floats beyond 0..1, as interpolation leaves it
_LIMIT = Lock()  # of Pillow's limit; no child begins in the middle of a change
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_LIMIT.acquire, after_in_parent=_LIMIT.release, after_in_child=_LIMIT.release
    )


def suffixes() -> set[str]:
    """Endings of the names of files that hold pictures which can be read: ".jpg", ".png", ..."""
    return {
        suffix
        for suffix, kind in Image.registered_extensions().items()
        if kind == "MPO" or (kind in Image.OPEN and kind not in NEVER_READ)  # MPO opens as JPEG
    }


def to_rgb(
    picture: Picture, background: Colour = WHITE, max_pixels: int | None = None
) -> np.ndarray:
    """uint8 (height, width, 3).

    Orientation from EXIF is applied, ICC profiles are converted to sRGB, transparency is laid on
    `background`, 16-bit values are scaled to 8, floats are taken to lie in [0, 1], an animation
    gives its first frame. Other metadata is dropped.

    Args:
        picture: PIL image; array (height, width) or (height, width, 1 | 3 | 4) of uint8, uint16,
            bool or float; torch tensor (1 | 3 | 4, height, width) or (height, width); path; the
            bytes of an image file, or such a file, open for reading.
        background: RGB to see through transparent parts, each 0..255.
        max_pixels: refuse larger pictures, before their pixels are read; None for no limit.

    Raises:
        InputError: it cannot be read, is a program (EPS) or has a form not listed here.
        ImageTooLargeError: it has more than `max_pixels` pixels, or a side beyond 65,536.
        ArgumentError: the background is no RGB colour.
    """
    row = isinstance(background, Sequence) or np.ndim(background) == 1
    parts = list(background) if row else []
    if len(parts) != 3 or not all(
        isinstance(v, (int, np.integer)) and 0 <= v <= 255 for v in parts
    ):
        raise ArgumentError(
            f"background must be three whole numbers in 0..255, not {background!r:.40}"
        )
    if isinstance(picture, Image.Image):
        return _from_pil(picture, background, max_pixels)
    if isinstance(picture, (str, os.PathLike)):
        path = os.fsdecode(picture)
        if not path:
            raise InputError("the path of the picture is empty")
        return _from_file(path, f"the picture {path}", background, max_pixels)
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return _from_file(io.BytesIO(bytes(picture)), "these bytes", background, max_pixels)
    if callable(getattr(picture, "read", None)):
        return _from_file(picture, "the picture", background, max_pixels)
    if hasattr(picture, "detach") and hasattr(
        picture, "cpu"
    ):  # a torch tensor, without importing torch
        array = _tensor(picture)
    elif isinstance(picture, np.ndarray):
        array = picture
    else:
        raise InputError(
            f"cannot make a picture of a {type(picture).__name__}: "
            "give a PIL image, array, tensor, path, bytes or an open file"
        )
    return _from_array(array, background, max_pixels)


def is_grey(rgb: np.ndarray) -> bool:
    """Whether R = G = B everywhere."""
    step = max(1, (1 << 20) // max(1, rgb.shape[1]))
    return all(
        np.array_equal(part[..., 0], part[..., 1]) and np.array_equal(part[..., 0], part[..., 2])
        for part in (rgb[at : at + step] for at in range(0, len(rgb), step))
    )


def check_pixels(width: int, height: int, max_pixels: int | None) -> None:
    """Refuse a picture that cannot be handled.

    Raises:
        InputError: it has no pixel.
        ImageTooLargeError: it has more than `max_pixels`, or a side beyond the format's.
        ArgumentError: `max_pixels` is neither a number from 1 nor None.
    """
    number = is_number(max_pixels) and max_pixels == max_pixels  # NaN is none
    if max_pixels is not None and not number:
        raise ArgumentError(
            f"max_pixels is a number (in Python, None: no limit), not {max_pixels!r:.40}"
        )
    if max_pixels is not None and max_pixels < 1:
        raise ArgumentError(
            f"max_pixels is at least 1 (in Python, None: no limit), not {max_pixels}"
        )
    if width < 1 or height < 1:
        raise InputError(f"a picture needs at least one pixel; this one is {width} x {height}")
    if max(width, height) > MAX_SIDE:
        raise ImageTooLargeError(
            f"a side of {max(width, height)} pixels is beyond the format's {MAX_SIDE}"
        )
    if max_pixels is not None and width * height > max_pixels:
        raise ImageTooLargeError(
            f"{width} x {height} is more than {max_pixels} pixels; "
            "pass a larger max_pixels if you trust it"
        )


def _from_file(
    source: str | IO[bytes], what: str, background: Colour, max_pixels: int | None
) -> np.ndarray:
    check_pixels(1, 1, max_pixels)
    try:
        with _opened(_at_hand(source), max_pixels) as image:
            if image.format in NEVER_READ:
                raise InputError(f"{what} cannot be read: it is {image.format}")
            return _from_pil(image, background, max_pixels)
    except TokCodecError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as e:
        raise ImageTooLargeError(
            f"{what}: more than {max_pixels} pixels; pass a larger max_pixels if you trust it"
        ) from e
    except FileNotFoundError as e:
        raise InputError(f"{what} does not exist") from e
    except UnidentifiedImageError as e:
        raise InputError(f"{what} cannot be read: no image format that Pillow knows") from e
    except Exception as e:  # Pillow's readers raise anything at damage, RuntimeError among them
        reason = getattr(e, "strerror", None) or e  # which would say the path once more
        raise InputError(f"{what} cannot be read: {reason}") from e


def _at_hand(source: str | IO[bytes]) -> str | IO[bytes]:
    """The same without any waiting: what is no regular file is read whole."""
    if isinstance(source, io.BytesIO):
        return source
    if isinstance(source, str):
        return io.BytesIO(Path(source).read_bytes()) if Path(source).is_fifo() else source
    with suppress(AttributeError, OSError, ValueError):  # a stream may know no beginning
        source.seek(0)
    with suppress(AttributeError, OSError, ValueError):
        if stat.S_ISREG(os.fstat(source.fileno()).st_mode):
            return source
    return io.BytesIO(source.read())


def _opened(source: str | IO[bytes], max_pixels: int | None) -> Image.Image:
    """A picture whose header was read. Pillow knows one limit for the whole process, which some of
    its readers need before they tell a size: ours, which other threads must not see for long.
    """
    most = None if max_pixels is None else max(max_pixels, HARMLESS)
    with _LIMIT:
        usual, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, most
        try:
            return Image.open(source)
        finally:
            Image.MAX_IMAGE_PIXELS = usual


def _from_pil(image: Image.Image, background: Colour, max_pixels: int | None) -> np.ndarray:
    check_pixels(*image.size, max_pixels)
    try:
        image.load()
    except Exception as e:  # see _from_file
        raise InputError(f"the picture cannot be read: {e}") from e
    with suppress(Exception):  # EXIF that cannot be read is as good as none
        image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        deep = _from_array(_deep(image), background, max_pixels)
        if profile := image.info.get("icc_profile"):
            deep = np.array(_to_srgb(Image.fromarray(deep[..., 0]), profile))
        if isinstance(clear := image.info.get("transparency"), int):  # the value of what is clear
            deep[np.asarray(image) == clear] = background
        return deep
    try:
        return _laid(image, background)
    except Exception as e:  # what is said of transparency may not fit the mode
        raise InputError(f"the picture cannot be read: {e}") from e


def _laid(image: Image.Image, background: Colour) -> np.ndarray:
    """A picture of 8 bits as RGB, its transparent parts on the background."""
    profile = image.info.get("icc_profile")
    if image.mode in ("La", "RGBa"):  # premultiplied
        image = image.convert({"La": "LA", "RGBa": "RGBA"}[image.mode])
    elif image.mode in ("P", "PA") or "transparency" in image.info:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    alpha = image.getchannel("A") if image.mode in ("RGBA", "LA") else None
    if image.mode == "RGBA":
        image = image.convert("RGB")
    elif image.mode in ("LA", "1"):
        image = image.convert("L")
    rgb = _to_srgb(image, profile)
    if alpha is not None and np.asarray(alpha).min() < 255:
        rgb = Image.composite(rgb, Image.new("RGB", rgb.size, tuple(background)), alpha)
    return np.asarray(rgb)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB, through the picture's ICC profile if it has a usable one."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if source.profile.profile_description != "sRGB built-in":
                converted = ImageCms.profileToProfile(
                    image, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
                )
                if converted is not None:
                    return converted
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # an unusable profile is as good as none
    return image.convert("RGB")


def _deep(image: Image.Image) -> np.ndarray:
    """16-bit and float pictures as arrays of uint16 or float."""
    array = np.asarray(image)
    if image.mode == "F":
        return array
    if array.min() < 0 or array.max() > 65535:
        raise InputError("a 32-bit integer picture must hold values in 0..65535")
    return array.astype(np.uint16)


def _tensor(tensor: Any) -> np.ndarray:
    """Torch (channels, height, width) or (height, width) to an array with channels last."""
    try:
        if tensor.dtype.is_floating_point:
            tensor = tensor.float()  # numpy has no bfloat16
        array = tensor.detach().cpu().numpy()
    except (TypeError, RuntimeError, AttributeError) as e:
        raise InputError(f"cannot make a picture of this tensor: {e}") from e
    if array.ndim == 3:
        if array.shape[0] not in (1, 3, 4):
            raise InputError(
                f"a tensor must be (1, 3 or 4 channels, height, width), not {tuple(array.shape)}"
            )
        return np.moveaxis(array, 0, -1)
    return array


def _from_array(array: np.ndarray, background: Colour, max_pixels: int | None) -> np.ndarray:
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise InputError(
            f"an array must be (height, width) or (height, width, 1, 3 or 4), not {array.shape}"
        )
    check_pixels(array.shape[1], array.shape[0], max_pixels)
    array = _to_8bit(array)
    if array.ndim == 2:
        array = array[..., None]
    if array.shape[2] == 4:
        rgb, alpha = array[..., :3].astype(np.uint32), array[..., 3:].astype(np.uint32)
        array = (
            (rgb * alpha + np.array(background, np.uint32) * (255 - alpha) + 127) // 255
        ).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(array, (*array.shape[:2], 3)))


def _to_8bit(array: np.ndarray) -> np.ndarray:
    """uint8 as it is, uint16 scaled, bool to 0 and 255, floats from [0, 1]."""
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.uint16:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise InputError("the picture holds values that are not finite numbers")
        if array.min() < -OVERSHOOT or array.max() > 1 + OVERSHOOT:
            raise InputError(
                f"float pictures must lie in [0, 1]; "
                f"this one spans {array.min():.9g}..{array.max():.9g}"
            )
        return np.rint(array.astype(np.float64).clip(0, 1) * 255).astype(np.uint8)
    raise InputError(
        f"cannot make a picture of {array.dtype} values: "
        "use uint8, uint16, bool or floats in [0, 1]"
    )
