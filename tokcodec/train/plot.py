"""A run's log to a picture of its curves."""

from __future__ import annotations

import io
import math
from importlib.util import find_spec
from pathlib import Path

from tokcodec.files import write_atomically


def plot(log: Path, path: Path) -> None:
    """Every column of a log over its minutes, those of one kind ("gain_120", "gain_360") together:
    a PNG at `path`. Nothing without matplotlib: the log has all the numbers.
    """
    if find_spec("matplotlib") is None:
        return
    from matplotlib.figure import Figure

    head, *lines = (line.split("\t") for line in log.read_text().splitlines())
    # A row of an older log may lack its last columns: there the curves have a gap.
    missing = [math.nan] * len(head)
    rows = [dict(zip(head, [*map(_number, line), *missing], strict=False)) for line in lines]
    kinds = dict.fromkeys(name.split("_")[0] for name in head if name not in ("step", "minutes"))
    figure = Figure((9, 2.2 * len(kinds)), layout="constrained")
    axes = figure.subplots(len(kinds), 1, sharex=True, squeeze=False)[:, 0]
    for axis, kind in zip(axes, kinds, strict=True):
        for name in (n for n in head if n.split("_")[0] == kind):
            axis.plot([r["minutes"] for r in rows], [r[name] for r in rows], ".-", label=name)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    axes[-1].set_xlabel("minutes of training")
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=100)
    write_atomically(path, data.getvalue(), overwrite=True)


def _number(text: str) -> float:
    """NaN for what is none: somebody may have written into the log."""
    try:
        return float(text)
    except ValueError:
        return math.nan
