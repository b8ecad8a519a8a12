"""A tokenizer's name, folder or file to its codec."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from tokcodec import devices
from tokcodec.errors import ArgumentError, InputError, warn
from tokcodec.files import stamp
from tokcodec.register import shipped
from tokcodec.register.checkpoints import checkpoint, families
from tokcodec.register.checkpoints.catalogue import Published
from tokcodec.register.checkpoints.sources import Files, find, published
from tokcodec.register.codec import RegisterCodec
from tokcodec.register.model import RegisterModel
from tokcodec.register.prior import file as prior_file
from tokcodec.register.prior.uniform import Uniform

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_loaded: dict[tuple[object, ...], RegisterModel] = {}
_told: set[str] = set()  # published models of which the licence was shown


def load(
    name_or_path: str | Path,
    device: str | torch.device | None = None,
    dtype: str | torch.dtype | None = None,
    prior: str | Path | None = None,
) -> RegisterCodec:
    """The codec of a register tokenizer, its network loaded once for each device and precision.

    Args:
        name_or_path: "hf-hub:owner/name", a name from `tokcodec.models()`, or a folder or file.
        device: where the network works: "cpu" (None) or "cuda".
        dtype: "float32" (None) or "bfloat16". Codes are always looked up in float32.
        prior: file of `tokcodec train prior` or `register-prior`; None takes all digits for equally
            likely, but for shipped tokenizers, which have their own.

    Raises:
        UnknownModelError, InputError: it is not found, or cannot be read or downloaded.
        ModelMismatchError: the prior is another tokenizer's.
        DamagedModelError: it is no sound checkpoint of a known family.
        ArgumentError: there is no such device or precision.

    Warns:
        TokCodecWarning: the licence of a published model, before it is used for the first time.
    """
    where, precision = devices.find(device), _dtype(dtype)
    listed = published(name_or_path)
    if listed is not None:
        _tell(listed)
    files = find(name_or_path)
    if prior is None and str(name_or_path) in shipped.CODES:
        prior = shipped.prior_of(files.name)
    key = (*map(stamp, files.all), where, precision)
    if key not in _loaded:
        _loaded[key] = _open(files, listed, where, precision)
    model = _loaded[key]
    if prior is not None:
        model = _with(model, key, Path(prior))
    return RegisterCodec(model)  # whoever loads it may say how large its batches are


def _open(
    files: Files, listed: Published | None, device: torch.device, dtype: torch.dtype
) -> RegisterModel:
    found = checkpoint.read(files)
    built = families.build(found)
    tokenizer = built.tokenizer
    try:
        tokenizer.to(device=device, dtype=dtype)  # type: ignore[attr-defined]
    except RuntimeError as e:  # a GPU that is full
        raise ArgumentError(f"the device {device} cannot be used: {e}") from e
    return RegisterModel(
        listed.name if listed else files.name, built.family, tokenizer, found.original,
        Uniform(tokenizer.levels), built.settings,
    )  # fmt: skip


def _with(model: RegisterModel, key: tuple[object, ...], path: Path) -> RegisterModel:
    """The same network, with the prior in a file."""
    if not path.is_file():
        raise InputError(f"there is no prior {path}")
    key = (*key, stamp(path))
    if key not in _loaded:
        said = model.tokenizer.levels, model.tokenizer.length, model.checkpoint.hex()
        _loaded[key] = replace(model, prior=prior_file.read(path, *said))
    return _loaded[key]


def _tell(listed: Published) -> None:
    if listed.hub not in _told:
        _told.add(listed.hub)
        warn(f"{listed.name} ({listed.hub}): {listed.licence}")


def _dtype(dtype: str | torch.dtype | None) -> torch.dtype:
    name = str("float32" if dtype is None else dtype).removeprefix("torch.")
    if name not in DTYPES:
        raise ArgumentError(f"dtype is one of {', '.join(DTYPES)}, not {dtype!r:.40}")
    return DTYPES[name]
