"""A checkpoint, file or folder, to tensors by name, a configuration as plain data, and the hash of
the file.

Weights are read from safetensors, or from a pickle of which nothing but tensors is taken
(`torch.load(weights_only=True)`). Configurations (JSON or YAML) are read as data: whatever they
name is never imported or called.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from tokcodec.errors import DamagedModelError, InputError, first_line
from tokcodec.files import read as read_file
from tokcodec.mx import file as mx
from tokcodec.register.checkpoints import hub, shards
from tokcodec.register.checkpoints.sources import SAFE, Files
from tokcodec.register.own.shape import KIND

MAX_CONFIG = 1 << 20  # bytes; the published ones have a few thousand


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a checkpoint says of itself, and its tensors, read when they are asked for.

    Attributes:
        path: the file of weights, or the index of several.
        sha256: of that file, or of the hashes of the several in the order of their names; 32 bytes.
        shapes: shape of each tensor, by name.
        config: the configuration beside the file, or {}.
        metadata: text inside a safetensors file, or {}.
        original: hash of the file that this one was quantised from (`tokcodec.mx`), else `sha256`.
    """

    path: Path
    sha256: bytes = field(repr=False)
    shapes: dict[str, tuple[int, ...]] = field(repr=False)
    config: dict[str, Any] = field(default_factory=dict, repr=False)
    metadata: dict[str, str] = field(default_factory=dict, repr=False)
    original: bytes = field(default=b"", repr=False)
    _held: dict[str, Tensor] = field(default_factory=dict, repr=False)  # tensors in memory already
    _places: dict[str, Path] = field(default_factory=dict, repr=False)  # files of those of an index

    def __post_init__(self) -> None:
        object.__setattr__(self, "original", self.original or self.sha256)

    def fill(self, module: nn.Module, ignored: Collection[str] = ()) -> None:
        """Give `module`, which may lie on torch's meta device, all its weights as float32.

        Args:
            module: its state must have the names and shapes of the checkpoint, all of them.
            ignored: names in the checkpoint that need not be in the module.

        Raises:
            DamagedModelError: names or shapes differ; the message names them.
        """
        wanted = {name: tuple(t.shape) for name, t in module.state_dict().items()}
        self._compare(wanted, self.shapes.keys() - set(ignored))
        module.load_state_dict(self.tensors(wanted), strict=True, assign=True)
        module.eval().requires_grad_(False)

    def tensors(self, names: Collection[str]) -> dict[str, Tensor]:
        """Some tensors, as float32 on the CPU.

        Raises:
            DamagedModelError: one of them holds something else than finite floating-point numbers.
        """
        if self._held:
            found = {name: self._held[name] for name in names}
        else:
            found = {}
            for path in sorted({self._places.get(name, self.path) for name in names}):
                with safe_open(path, "pt") as file:
                    inside = [n for n in names if self._places.get(n, self.path) == path]
                    found |= {name: file.get_tensor(name) for name in inside}
        for name, tensor in found.items():
            if not tensor.is_floating_point():
                raise DamagedModelError(
                    f"{self.path.name}: {name} is {tensor.dtype}, not floating-point numbers"
                )
            if not tensor.sum(dtype=torch.float64).isfinite():
                raise DamagedModelError(f"{self.path.name}: {name} holds what is no number")
        return {name: tensor.float().contiguous() for name, tensor in found.items()}

    def _compare(self, wanted: Mapping[str, tuple[int, ...]], present: Collection[str]) -> None:
        missing = [n for n in wanted if n not in self.shapes]
        foreign = sorted(set(present) - wanted.keys())
        odd = [
            f"{n} is {_by(self.shapes[n])}, not {_by(size)}"
            for n, size in wanted.items()
            if n in self.shapes and self.shapes[n] != size
        ]
        said = [
            f"{what}: {_some(names)}"
            for what, names in (("missing", missing), ("foreign", foreign), ("misshapen", odd))
            if names
        ]
        if said:
            raise DamagedModelError(
                f"{self.path.name} does not fit the model that its tensors announce; "
                + "; ".join(said)
            )


def read(files: Files) -> Checkpoint:
    """Open a checkpoint. Tensors of a safetensors file stay on the disk until `fill`.

    Raises:
        InputError: a file cannot be read.
        DamagedModelError: it is corrupted, cut off, or a pickle that holds more than tensors.
    """
    path = files.weights
    if shards.is_index(path):
        return _of_shards(path, files.shards, _configuration(files))
    sha256 = _hash(path, files.sha256)
    if path.suffix != SAFE:
        return _in_memory(_read_pickle(path), path, sha256, _configuration(files))
    shapes, metadata = _opened(path)
    # A tokenizer of one's own says all in its metadata; what lies beside it is another's.
    config = {} if KIND in metadata else _configuration(files)
    if mx.FORMAT in metadata:
        tensors = {k: torch.from_numpy(v) for k, v in mx.load(path).items()}
        return _in_memory(tensors, path, sha256, config, metadata)
    return Checkpoint(path, sha256, shapes, config, metadata)


def _of_shards(index: Path, files: tuple[Path, ...], config: dict[str, Any]) -> Checkpoint:
    """A checkpoint in several files: each must hold the tensors that the index says, no others."""
    places, hashes = shards.listed(index), hashlib.sha256()
    shapes: dict[str, tuple[int, ...]] = {}
    metadata: dict[str, str] = {}
    for path in files:
        hashes.update(_hash(path, hub.announced(path)))
        found, said = _opened(path)
        if found.keys() != {name for name, place in places.items() if place == path}:
            raise DamagedModelError(f"{path} holds other tensors than {index.name} says")
        shapes |= found
        metadata |= said
    return Checkpoint(index, hashes.digest(), shapes, config, metadata, _places=places)


def _hash(path: Path, announced: str | None) -> bytes:
    """SHA-256 of a file, if it is what was announced in hexadecimal."""
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").digest()
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror or e}") from e
    if announced not in (None, sha256.hex()):
        raise DamagedModelError(f"{path} is not what the hub has; delete it and load it again")
    return sha256


def _opened(path: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """Shapes of the tensors in a safetensors file, by name, and its metadata."""
    try:
        with safe_open(path, "pt") as f:
            metadata = f.metadata() or {}
            shapes = {k: tuple(f.get_slice(k).get_shape()) for k in f.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as e:
        raise DamagedModelError(
            f"{path} is no sound safetensors file, or a part of one: {e}"
        ) from e
    return shapes, metadata


def _in_memory(
    tensors: dict[str, Tensor],
    path: Path,
    sha256: bytes,
    config: dict[str, Any],
    metadata: dict[str, str] | None = None,
) -> Checkpoint:
    metadata = metadata or {}
    try:
        original = bytes.fromhex(metadata.get(mx.ORIGIN, ""))
    except ValueError as e:
        raise DamagedModelError(f"{path} does not say what it was quantised from: {e}") from e
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    return Checkpoint(path, sha256, shapes, config, metadata, original, tensors)


def _read_pickle(path: Path) -> dict[str, Tensor]:
    """A state dictionary, which holds tensors by name and nothing else."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as e:
        raise DamagedModelError(
            f"{path} is a pickle that holds more than tensors, or none at all; it was not run"
        ) from e
    except Exception as e:  # torch has no word of its own for a file cut off or foreign
        raise DamagedModelError(f"{path} is no sound file of weights: {first_line(e)}") from e
    if not isinstance(found, dict) or not found:
        raise DamagedModelError(f"{path} holds no tensors by name")
    for name, tensor in found.items():
        if not isinstance(name, str) or not isinstance(tensor, Tensor):
            raise DamagedModelError(
                f"{path} holds more than tensors: {str(name)[:60]!r} is a {type(tensor).__name__}"
            )
        if tensor.layout != torch.strided or tensor.nbytes > tensor.untyped_storage().nbytes():
            raise DamagedModelError(f"{path}: {name} says more numbers than there are")
    return found


def _configuration(files: Files) -> dict[str, Any]:
    return _read_config(files.config) if files.config else {}


def _read_config(path: Path) -> dict[str, Any]:
    text = read_file(path)
    if len(text) > MAX_CONFIG:
        raise DamagedModelError(f"{path} is no configuration: it has {len(text)} bytes")
    try:
        config = json.loads(text) if path.suffix == ".json" else _yaml(text)
    except (ValueError, RecursionError) as e:
        raise DamagedModelError(f"{path} is no configuration: {first_line(e)}") from e
    if not isinstance(config, dict):
        raise DamagedModelError(f"{path} is no configuration: it holds no names")
    return config


def _yaml(text: bytes) -> Any:
    try:
        import yaml  # type: ignore[import-untyped]
    except ImportError:
        raise InputError("a YAML configuration needs PyYAML: pip install 'tokcodec[hub]'") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as e:
        raise ValueError(e) from e


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "a single number"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
