"""The file of a trained decoder to what runs it here; the last few are kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokcodec.decoders import stored
from tokcodec.decoders.runtime import Runtime
from tokcodec.errors import ArgumentError
from tokcodec.files import stamp

ONNX_SUFFIX = ".onnx"
TORCH, ONNX = "torch", "onnx"
NEEDS = {TORCH: ("torch",), ONNX: ("onnx", "onnxruntime")}  # packages, by what runs the network

EXTRA = {TORCH: "neural", ONNX: "onnx"}  # of the package, that brings them


def installed(way: str) -> bool:
    """Whether all that it needs is there; nothing is imported."""
    return all(find_spec(package) is not None for package in NEEDS[way])


def best_way() -> str | None:
    """What runs a network on this machine, if anything does."""
    return next((way for way in NEEDS if installed(way)), None)


@dataclass(frozen=True)
class Setting:
    """Where a network works ("cpu", "cuda", "cuda:1"), and in which precision ("float32",
    "bfloat16"). All but the first of each ask for torch.
    """

    device: str = "cpu"
    precision: str = "float32"

    @classmethod
    def of(cls, device: Any, dtype: Any) -> Setting:
        """From arguments: names, torch's own, or None for what is usual."""
        if isinstance(device, int):
            device = f"cuda:{device}"  # as torch numbers them
        where = cls.device if device is None else str(device)
        precision = cls.precision if dtype is None else str(dtype)
        return cls(where, precision.removeprefix("torch."))


USUAL = Setting()


def opened(
    path: Path, way: str | None = None, setting: Setting = USUAL
) -> tuple[Runtime, dict[str, Any]]:
    """What runs the decoder in a file (.safetensors or .onnx), and its card.

    Args:
        way: "torch" or "onnx" (ONNX Runtime); None is ONNX Runtime for .onnx, else the best.

    Raises:
        ArgumentError: what it needs is not installed, or there is no such device or precision.
        InputError, DamagedModelError: the file cannot be read, or holds something else.
    """
    if way == ONNX and setting != USUAL:
        raise ArgumentError("ONNX Runtime works on the CPU, in float32: leave device and dtype out")
    if setting != USUAL:
        way = TORCH
    elif way is None:
        way = ONNX if path.suffix == ONNX_SUFFIX else best_way()
    if way is None:
        raise ArgumentError(
            "a trained decoder needs torch or ONNX Runtime: "
            "pip install 'tokcodec[neural]' or 'tokcodec[onnx]'"
        )
    ways = [way, ONNX] if path.suffix == ONNX_SUFFIX else [way]  # which reads its file, too
    for needed in ways:
        if not installed(needed):
            packages = " and ".join(NEEDS[needed])
            raise ArgumentError(
                f"this decoder needs {packages}: pip install 'tokcodec[{EXTRA[needed]}]'"
            )
    return _opened(path, stamp(path), way, setting)


@lru_cache(maxsize=4)
def _opened(
    path: Path, stamped: tuple[Path, int, int], way: str, setting: Setting
) -> tuple[Runtime, dict[str, Any]]:
    """Kept as long as `stamped` says that it is the same file: names mean another one elsewhere."""
    if path.suffix == ONNX_SUFFIX:
        from tokcodec.decoders import onnx_file

        kept = onnx_file.read(path)
    else:
        kept = stored.read(path)
    if way == TORCH:
        from tokcodec import devices
        from tokcodec.decoders.torch_file import network_of
        from tokcodec.decoders.torch_runtime import PRECISIONS, TorchRuntime

        if setting.precision not in PRECISIONS:
            names = ", ".join(PRECISIONS)
            raise ArgumentError(f"dtype is one of {names}, not {setting.precision!r:.40}")
        device = devices.find(setting.device)
        return TorchRuntime(network_of(kept), device, setting.precision), kept.about
    from tokcodec.decoders.onnx_runtime import OnnxRuntime

    return OnnxRuntime(kept), kept.about
