"""Two pictures to a number: how much of an original a decoded picture has kept, by six metrics.

`measure` is all that the benchmarks need. A metric whose package or weights are not to be had gives
None, with one warning a process; what a metric does with small pictures stands in its own file.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

from benchmarks.metrics.weights import MissingMetric
from tokcodec.errors import ArgumentError, InputError, TokCodecWarning

HIGHER_IS_BETTER: dict[str, bool] = {
    "psnr": True,
    "ms_ssim": True,
    "lpips_alex": False,
    "lpips_vgg": False,
    "dists": False,
    "ssimulacra2": True,
}
METRICS: tuple[str, ...] = tuple(HIGHER_IS_BETTER)
KEPT_PIXELS = 1 << 20  # of the original: VGG activations take some 500 bytes a pixel


class Metric(Protocol):
    """One metric. What depends on the original alone is prepared once for all decoded pictures."""

    least: int  # pixels of the shorter side; the metric has no value below that

    def prepare(self, a: np.ndarray) -> Any:
        """The part of the work that needs the original only."""
        ...

    def compare(self, prepared: Any, b: np.ndarray) -> float:
        """The metric's value for the decoded picture `b`."""
        ...


def measure(name: str, a: np.ndarray, b: np.ndarray) -> float | None:
    """The metric `name` of a decoded picture against its original.

    Args:
        name: One of `METRICS`.
        a: The original, uint8 (H, W, 3), sRGB.
        b: The decoded picture, same shape and type.

    Returns:
        Decibels for "psnr" (infinite for equal pictures), at most 100 for "ssimulacra2", 0 to 1 for
        "ms_ssim" (1 for equal pictures), a distance from 0 for the others. None where the metric's
        package or weights are missing, or the shorter side is below what the metric needs.

    Raises:
        ArgumentError: No metric of that name.
        InputError: The pictures are not uint8 (H, W, 3) of one shape.
    """
    if name not in METRICS:
        raise ArgumentError(f"no metric {name!r}; there are {', '.join(METRICS)}")
    for x in (a, b):
        if x.dtype != np.uint8 or x.ndim != 3 or x.shape[2] != 3 or x.size == 0:
            raise InputError(f"a metric needs uint8 (H, W, 3), not {x.dtype} {x.shape}")
    if a.shape != b.shape:
        raise InputError(f"the pictures differ in shape: {a.shape} and {b.shape}")
    metric = _find(name)
    if metric is None or min(a.shape[:2]) < metric.least:
        return None
    return float(metric.compare(_prepared(name, metric, a), b))


def least_side(name: str) -> int | None:
    """Pixels of the shorter side that a metric needs; None where it is not to be had here (one
    warning a process says why).
    """
    metric = _find(name)
    return None if metric is None else metric.least


def require(names: Iterable[str]) -> None:
    """See that metrics can be measured here.

    Raises:
        InputError: the package or the weights of one are missing; says which.
    """
    for name in names:
        try:
            _made[name] = _made.get(name) or _make(name)
        except (ImportError, MissingMetric) as error:
            raise InputError(f"{name} cannot be measured here: {error}") from error


_kept: dict[str, tuple[np.ndarray, Any]] = {}  # by metric: the last original, what was prepared


def _prepared(name: str, metric: Metric, a: np.ndarray) -> Any:
    """`metric.prepare(a)`, kept for the next call with an equal original."""
    kept = _kept.get(name)
    if kept is not None and np.array_equal(kept[0], a):
        return kept[1]
    _kept.pop(name, None)
    del kept  # before the new one takes its memory
    prepared = metric.prepare(a)
    if a.shape[0] * a.shape[1] <= KEPT_PIXELS:
        _kept[name] = a.copy(), prepared
    return prepared


_made: dict[str, Metric | None] = {}


def _find(name: str) -> Metric | None:
    """The metric, made once a process; None, after one warning, if it cannot be made."""
    if name not in _made:
        try:
            _made[name] = _make(name)
        except (ImportError, MissingMetric) as error:
            _made[name] = None
            text = f"no {name}, its column stays empty: {error}"
            warnings.warn(text, TokCodecWarning, stacklevel=3)
    return _made[name]


def _make(name: str) -> Metric:
    """A metric by name. Imported here, so that one without its package hinders no other."""
    if name == "psnr":
        from benchmarks.metrics.psnr import Psnr

        return Psnr()
    if name == "ms_ssim":
        from benchmarks.metrics.ms_ssim import MsSsim

        return MsSsim()
    if name == "ssimulacra2":
        from benchmarks.metrics.ssimulacra2 import Ssimulacra2

        return Ssimulacra2()
    if name == "dists":
        from benchmarks.metrics.dists import Dists

        return Dists()
    from benchmarks.metrics.lpips import Lpips

    return Lpips(name.removeprefix("lpips_"))
