"""Results and a metric to a plot of bytes against it, as the bytes of an SVG file."""

from __future__ import annotations

import io
import math
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.report.curves import Mean, Metric, Results
from benchmarks.report.style import Look, label, looks
from benchmarks.rows import FULL_SIZE, is_ours
from tokcodec.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (8.3, 7.0)  # inches of 72 points: the width of a README, with legible letters
HEIGHTS = (2.3, 1)  # of the means to the differences
SALT = "tokcodec"  # names inside the SVG: the same in every run
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": SALT,
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
LONG_NUMBER = re.compile(rb"\b([1-9]\d*\.\d\d)\d+")  # a hundredth of a point is enough
INDENT = re.compile(rb"\n +")
THIN_MARKERS = "PX*"  # look smaller than they are
DASHED = (0, (4, 3))
DODGE = 0.045  # of a doubling: bars of codecs at one target stand side by side


class Line(NamedTuple):
    """Points of one codec by byte target, those that have a mean over all pictures."""

    codec: str
    points: dict[int, Mean]
    full_size: bool


def lines(results: Results, metric: Metric) -> list[Line]:
    """What there is to draw: each codec's means, and those at full size where they differ."""
    found = []
    for codec in results.codecs:
        ways: list[str | None] = [None]
        if results.full_size_differs(codec):
            ways.append(FULL_SIZE)
        for way in ways:
            points: dict[int, Mean] = {}
            before = None
            for target in results.targets:
                mean = results.mean(codec, metric, target, way)
                if mean.bytes is None or not math.isfinite(mean.value or 0.0):
                    continue
                if mean != before:  # else the same files as for a smaller target
                    points[target] = before = mean
            if points:
                found.append(Line(codec, points, way is not None))
    return found


def plot(results: Results, metric: Metric) -> bytes:
    """Bytes against a metric, better upwards. Above: means over all pictures, and the middle half
    of the pictures for tokcodec. Below: each codec less tokcodec on the same picture at the same
    limit, mean and middle half. Drawn twice, it is the same file.

    Raises:
        InputError: matplotlib is missing.
    """
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("the plots need matplotlib: pip install matplotlib") from None
    drawn, styles = lines(results, metric), looks(results.codecs)
    reference = next((line.codec for line in drawn if is_ours(line.codec)), None)
    with mpl.rc_context():
        mpl.rcdefaults()  # nobody's own settings
        mpl.rcParams.update(SETTINGS)
        figure = Figure(figsize=SIZE, layout="constrained")
        FigureCanvasSVG(figure)
        if reference is None:
            axes = [figure.subplots()]
        else:
            axes = list(figure.subplots(2, sharex=True, height_ratios=HEIGHTS))
            _differences(axes[1], results, metric, reference, drawn, styles)
        for line in drawn:
            band = not line.full_size and line.codec == (reference or line.codec)
            _means(axes[0], line, styles[line.codec], band)
        _legend(axes[0], any(line.full_size for line in drawn))
        smallest = min(
            (p.bytes or 1 for line in drawn for p in line.points.values()),
            default=results.targets[0],
        )
        _decorate(axes, results, metric, smallest)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return INDENT.sub(b"\n", LONG_NUMBER.sub(rb"\1", out.getvalue()))


def _means(axes: Axes, line: Line, look: Look, band: bool) -> None:
    points = list(line.points.values())
    x, y = _column(points, "bytes"), _column(points, "value")
    if line.full_size:
        axes.plot(x, y, color=look.colour, linestyle=DASHED, linewidth=0.9, zorder=2)
        axes.plot(x, y, look.marker, color=look.colour, markersize=4, fillstyle="none", zorder=2)
        return
    axes.plot(
        x, y, color=look.colour, linewidth=look.width, **_marker(look, 7.5),
        label=label(line.codec), zorder=5 if is_ours(line.codec) else 3,
    )  # fmt: skip
    if band:
        axes.fill_between(
            x, _column(points, "low"), _column(points, "high"),
            color=look.colour, alpha=0.1, linewidth=0, zorder=1,
            label="middle half of the pictures",
        )  # fmt: skip


def _column(points: list[Mean], name: str) -> np.ndarray:
    return np.array([getattr(p, name) for p in points], float)


def _marker(look: Look, size: float) -> dict[str, Any]:
    return {
        "marker": look.marker,
        "markersize": size * (1.35 if look.marker in THIN_MARKERS else 1),
        "markeredgecolor": "white",
        "markeredgewidth": 0.7,
    }


def _differences(
    axes: Axes,
    results: Results,
    metric: Metric,
    reference: str,
    drawn: list[Line],
    styles: dict[str, Look],
) -> None:
    axes.axhline(0, color=styles[reference].colour, linewidth=styles[reference].width, zorder=2)
    shown = [line for line in drawn if line.codec != reference and not line.full_size]
    for at, line in enumerate(shown):
        means = [results.difference(line.codec, reference, metric, t) for t in line.points]
        means = [m for m in means if m.value is not None and math.isfinite(m.value)]
        shift = 2 ** (DODGE * (at - (len(shown) - 1) / 2))
        look = styles[line.codec]
        x, y = shift * _column(means, "bytes"), _column(means, "value")
        axes.vlines(
            x, _column(means, "low"), _column(means, "high"),
            color=look.colour, linewidth=2.2, alpha=0.45, zorder=3,
        )  # fmt: skip
        axes.plot(x, y, color=look.colour, linewidth=1, **_marker(look, 6), zorder=4)
    axes.set_ylabel(f"better or worse than\n{label(reference)}", fontsize=10)


def _legend(axes: Axes, full_size: bool) -> None:
    if full_size:
        axes.plot([], [], color="#555555", linestyle=DASHED, linewidth=0.9, label="at full size")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", frameon=False, handlelength=2.6, fontsize=10.5)


def _decorate(axes: list[Axes], results: Results, metric: Metric, smallest: float) -> None:
    better = "higher is better" if metric.higher else "lower is better: axis turned over"
    axes[0].set_ylabel(f"{metric.label}  ({better})")
    if not metric.higher:
        axes[0].invert_yaxis()
    axes[0].set_xscale("log", base=2)
    axes[0].set_xticks(results.targets, [f"{t:,}" for t in results.targets])
    axes[0].set_xlim(min(smallest, results.targets[0]) / 1.15, results.targets[-1] * 1.15)
    axes[-1].set_xlabel("bytes of the whole file (log scale)")
    for each in axes:
        each.minorticks_off()
        each.grid(True, color="#DDDDDD", linewidth=0.6)
        each.set_axisbelow(True)
