"""Trained weights of LPIPS and DISTS by name: from safetensors files, else the authors' packages.

Files are looked for in the folder named by TOKCODEC_METRIC_WEIGHTS, then in `tokcodec/metrics` of
the user's cache (XDG_CACHE_HOME, or ~/.cache):

- `lpips_alex.safetensors`, `lpips_vgg.safetensors`: `features.N.weight` and `.bias` of the N-th
  convolution, and `lin.N.weight` (1, C, 1, 1) of the N-th stage; half precision is fine;
- `dists.safetensors`: `alpha` and `beta` (1, 1475, 1, 1); DISTS takes the VGG-16 of `lpips_vgg`.

Without a file, the packages `lpips` and `DISTS_pytorch` are asked, which need torchvision and
download its weights once.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError

from tokcodec.errors import TokCodecError

if TYPE_CHECKING:  # this module tells what is missing, torch included
    from torch import Tensor

FOLDER = "TOKCODEC_METRIC_WEIGHTS"


class MissingMetric(TokCodecError):
    """A metric cannot be had here; the message says what it lacks."""


def folders() -> list[Path]:
    """The folders in which weights are looked for, first to last."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    named = os.environ.get(FOLDER)
    return [*([Path(named)] if named else []), cache / "tokcodec" / "metrics"]


def lpips_weights(net: str) -> dict[str, Tensor]:
    """Tensors of LPIPS on `net`, "alex" or "vgg", named as in the files.

    Raises:
        MissingMetric: Neither a file nor a working package.
    """
    return _read(f"lpips_{net}") or _from_lpips(net)


def dists_weights() -> dict[str, Tensor]:
    """`alpha`, `beta` and the `features` of VGG-16.

    Raises:
        MissingMetric: Neither files nor working packages.
    """
    own = _read("dists") or _from_dists()
    vgg = lpips_weights("vgg")
    return own | {name: x for name, x in vgg.items() if name.startswith("features.")}


def _read(name: str) -> dict[str, Tensor] | None:
    from safetensors.torch import load_file

    for folder in folders():
        path = folder / f"{name}.safetensors"
        if path.is_file():
            try:
                return load_file(path)
            except (SafetensorError, OSError) as error:
                raise MissingMetric(f"{path} cannot be read: {error}") from error
    return None


def _from_lpips(net: str) -> dict[str, Tensor]:
    try:
        import lpips

        with warnings.catch_warnings():  # torchvision's, on how lpips asks for its weights
            warnings.simplefilter("ignore")
            state = lpips.LPIPS(net=net, verbose=False).state_dict()
    # No package, a torchvision built for another torch (RuntimeError, AttributeError), no network:
    # whatever it is, the metric is not to be had.
    except Exception as error:
        raise MissingMetric(_nowhere(f"lpips_{net}", "lpips", error)) from error
    found = {f"lin.{i}.weight": state[f"lin{i}.model.1.weight"] for i in range(5)}
    return found | _numbered(state, "net.slice")


def _from_dists() -> dict[str, Tensor]:
    try:
        from DISTS_pytorch import DISTS

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            state = DISTS().state_dict()
    except Exception as error:
        raise MissingMetric(_nowhere("dists", "DISTS_pytorch", error)) from error
    return {name: state[name] for name in ("alpha", "beta")}


def _nowhere(name: str, package: str, error: Exception) -> str:
    places = " or ".join(str(folder) for folder in folders())
    return f"no {name}.safetensors in {places}, nor from the package {package} ({error})"


def _numbered(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Convolutions of a torchvision network, renamed `features.0.weight` and so on, in order."""
    layers = dict.fromkeys(name.rpartition(".")[0] for name in state if name.startswith(prefix))
    return {
        f"features.{i}.{part}": state[f"{layer}.{part}"]
        for i, layer in enumerate(layers)
        for part in ("weight", "bias")
    }
