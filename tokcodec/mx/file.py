"""A file of weights (safetensors) to one in an MX format, and either of them to arrays.

In a quantised file a weight `name` is two tensors of bytes: `name.mx_elements` and
`name.mx_scales` (see `weights`). All else is kept under its name, floating-point numbers in
half precision where that is enough. Whatever the original said of itself is kept, and beside it:

mx_format: the format's name.
mx_shapes: the shape of every quantised weight, by its name; JSON.
quantised_from: SHA-256 of the original file, 64 hexadecimal digits: the model that this is.
mx_sha256: SHA-256 of everything else in this file, which is verified whenever it is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from tokcodec.errors import ArgumentError, DamagedModelError, InputError
from tokcodec.mx import formats
from tokcodec.mx.formats import Format
from tokcodec.mx.weights import Size, is_weight, pack_weight, packed_sizes, small, unpack_weight
from tokcodec.tensors import hash_arrays, ordered

ELEMENTS, SCALES = ".mx_elements", ".mx_scales"
FORMAT, SHAPES, HASH, ORIGIN = "mx_format", "mx_shapes", "mx_sha256", "quantised_from"
MAX_AXES = 8  # of a weight: no network has more, numpy stops at 64

Tensors = dict[str, np.ndarray]


class Contents(NamedTuple):
    """A file of weights, quantised or not: what it says, the names of its weights, and what reads
    one: float32 where it was quantised, else as it is kept. For use while the file is open.
    """

    metadata: dict[str, str]
    names: Collection[str]
    get: Callable[[str], np.ndarray]


@contextmanager
def opened(path: Path) -> Iterator[Contents]:
    """A file of weights (.safetensors), quantised or not.

    Raises:
        InputError: it cannot be read.
        DamagedModelError: it is no such file, is truncated, or is quantised and not what it was
            when it was written.
        ArgumentError: it is quantised, and ml_dtypes is not installed.
    """
    try:
        file = safe_open(path, "np")
    except OSError as e:
        said = e.strerror or ("it cannot be opened" if path.exists() else "there is no such file")
        raise InputError(f"cannot read {path}: {said}") from e
    except MemoryError:
        raise InputError(f"cannot read {path}: it is larger than the memory at hand") from None
    except SafetensorError as e:
        raise DamagedModelError(f"{path} is no whole file of weights (safetensors): {e}") from e
    with file:
        metadata, names = file.metadata() or {}, list(file.keys())
        if not metadata.keys() & {FORMAT, SHAPES, HASH}:
            yield Contents(metadata, names, file.get_tensor)
            return
        kept = Contents(metadata, names, file.get_tensor)
        tensors = {name: _tensor(path, kept, name) for name in names}
    try:
        found = _dequantised(metadata, tensors)
    except DamagedModelError as e:
        raise DamagedModelError(f"{path} is damaged: {e}") from e
    yield Contents(metadata, found, found.__getitem__)


def load(path: Path) -> Tensors:
    """All weights of a file, quantised (as float32) or not, by name; raises as `opened` does."""
    with opened(path) as file:
        return {name: _tensor(path, file, name) for name in file.names}


def quantised(path: Path, form: Format, keep: Collection[str] = ()) -> bytes:
    """The contents of a file of weights in an MX format.

    Args:
        path: the original, .safetensors; float32, float16 or bfloat16.
        form: of every weight (see `is_weight`).
        keep: patterns (`*`, `?`, `[...]`) of names that are not quantised.

    Raises:
        InputError: the file cannot be read, or a weight is not finite.
        DamagedModelError: it is no file of weights.
        ArgumentError: it is quantised already, holds nothing to quantise, `keep` fits no name, or
            ml_dtypes is not installed.
    """
    with opened(path) as file:
        if FORMAT in file.metadata:
            raise ArgumentError(
                f"{path} is in the format {file.metadata[FORMAT]} already; quantise its original"
            )
        for pattern in keep:
            if not any(fnmatchcase(name, pattern) for name in file.names):
                raise ArgumentError(f"{path} has no weight of the name {pattern}")
        tensors, sizes = _quantised(path, file, form, keep)
        with open(path, "rb") as f:
            origin = hashlib.file_digest(f, "sha256").hexdigest()
        said = {FORMAT: form.name, SHAPES: json.dumps(sizes), ORIGIN: origin}
        metadata = file.metadata | said
    return ordered(save(tensors, metadata | {HASH: _digest(metadata, tensors)}))


def _quantised(
    path: Path, file: Contents, form: Format, keep: Collection[str]
) -> tuple[Tensors, dict[str, Size]]:
    tensors: Tensors = {}
    sizes: dict[str, Size] = {}
    for name in file.names:
        x = _tensor(path, file, name)
        if not _is_float(x):
            tensors[name] = x
            continue
        if np.isnan(x.astype(np.float32)).any():
            raise InputError(f"cannot quantise {name} of {path}: it holds NaN")
        if not is_weight(x.shape) or any(fnmatchcase(name, pattern) for pattern in keep):
            tensors[name] = small(x)
        else:
            try:
                tensors[name + ELEMENTS], tensors[name + SCALES] = pack_weight(x, form)
            except InputError as e:
                raise InputError(f"cannot quantise {name} of {path}: {e}") from e
            sizes[name] = x.shape
    if not sizes:
        raise ArgumentError(f"{path} holds no weights of a network: nothing to quantise")
    return tensors, sizes


def _dequantised(metadata: Mapping[str, str], tensors: Tensors) -> Tensors:
    """All weights, from what a file holds; DamagedModelError if `quantised` did not write it."""
    _check(_digest(metadata, tensors) == metadata.get(HASH), "its hash does not fit its contents")
    form = formats.FORMATS.get(metadata.get(FORMAT, ""))
    if form is None:
        raise DamagedModelError(f"its format {metadata.get(FORMAT)!r} is unknown here")
    found = {k: x for k, x in tensors.items() if not k.endswith((ELEMENTS, SCALES))}
    for name, size in _sizes(metadata.get(SHAPES, "")).items():
        parts = [name + ELEMENTS, name + SCALES]
        for part, wanted in zip(parts, packed_sizes(size, form), strict=True):
            x = tensors.get(part)
            fits = x is not None and x.dtype == np.uint8 and x.shape == wanted
            _check(fits, f"{part} is not there as uint8 {wanted}")
        _check(name not in found, f"there are two of {name}")
        found[name] = unpack_weight(tensors[parts[0]], tensors[parts[1]], size, form)
        _check(bool(np.isfinite(found[name]).all()), f"{name} holds numbers that are not finite")
    return found


def _sizes(text: str) -> dict[str, Size]:
    try:
        found = {name: tuple(size) for name, size in json.loads(text).items()}
    except (AttributeError, TypeError, ValueError, RecursionError) as e:
        raise DamagedModelError("its shapes are no table") from e
    for name, size in found.items():
        fits = 1 < len(size) <= MAX_AXES and all(type(n) is int and n > 0 for n in size)
        _check(fits, f"{name} has no shape of a weight")
    return found


def _digest(metadata: Mapping[str, str], tensors: Mapping[str, np.ndarray]) -> str:
    """SHA-256, 64 hexadecimal digits, of all but the hash itself, in the order of names."""
    said = {k: v for k, v in metadata.items() if k != HASH}
    h = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    hash_arrays(h, tensors)
    return h.hexdigest()


def _tensor(path: Path, file: Contents, name: str) -> np.ndarray:
    try:
        return file.get(name)
    except (SafetensorError, AttributeError, TypeError) as e:  # a type that numpy has not
        raise DamagedModelError(f"cannot read {name} of {path}: {e}") from e


def _is_float(x: np.ndarray) -> bool:
    return x.dtype.kind == "f" or x.dtype.name == "bfloat16"


def _check(fits: bool, otherwise: str) -> None:
    if not fits:
        raise DamagedModelError(otherwise)
