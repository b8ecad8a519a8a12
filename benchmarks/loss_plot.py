"""Rows of the benchmark of lossy links to one plot: share lost against PSNR, a panel a kind."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from benchmarks.report.plots import INDENT, LONG_NUMBER, SETTINGS
from benchmarks.report.style import LOOKS, OURS, Look
from benchmarks.tables import Cell
from tokcodec.errors import InputError

PANEL, HEIGHT = 4.5, 4.2  # inches
DASHES = {"priority": "-", "equal": "--", "none": ":"}  # of matplotlib, by protection


def plot(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
    """An SVG file; drawn twice it is the same. Rows are those of the benchmark.

    Raises:
        InputError: matplotlib is missing.
    """
    try:
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure
    except ImportError:
        raise InputError("the plot needs matplotlib: pip install matplotlib") from None
    at = {name: i for i, name in enumerate(columns)}
    kinds = list(dict.fromkeys(str(row[at["channel"]]) for row in rows))
    with mpl.rc_context():
        mpl.rcdefaults()  # nobody's own settings
        mpl.rcParams.update(SETTINGS)
        figure = Figure(figsize=(PANEL * len(kinds), HEIGHT), layout="constrained")
        FigureCanvasSVG(figure)
        panels = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
        for axes, kind in zip(panels, kinds, strict=True):
            mine = [row for row in rows if row[at["channel"]] == kind]
            for way in dict.fromkeys(str(row[at["way"]]) for row in mine):
                losses, values = _means([row for row in mine if row[at["way"]] == way], at)
                look, dash = _look(way)
                axes.plot(losses, values, dash, color=look.colour, marker=look.marker,
                          linewidth=look.width, markersize=4.5, label=way)  # fmt: skip
            axes.set_title("independent losses" if kind == "independent" else f"losses in {kind}")
            axes.set_xlabel("packets lost, %")
            axes.grid(alpha=0.3)
        panels[0].set_ylabel("mean PSNR, dB")
        handles = panels[0].get_legend_handles_labels()
        where = {"loc": "outside lower center", "ncols": 3, "handlelength": 3.5}
        figure.legend(*handles, **where, frameon=False)
        out = io.BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return INDENT.sub(b"\n", LONG_NUMBER.sub(rb"\1", out.getvalue()))


def _means(rows: Sequence[Sequence[Cell]], at: dict[str, int]) -> tuple[list[float], list[float]]:
    """Losses in percent, and the mean PSNR of all pictures at each."""
    losses = sorted({float(row[at["loss"]]) for row in rows})  # type: ignore[arg-type]
    values = [
        float(np.mean([row[at["psnr"]] for row in rows if row[at["loss"]] == x]))  # type: ignore[misc]
        for x in losses
    ]
    return [100 * x for x in losses], values


def _look(way: str) -> tuple[Look, str]:
    codec, _, protection = way.partition(", ")
    look = OURS[0] if codec == "tokcodec" else LOOKS[codec.lower()]
    return look, DASHES.get(protection, "-")
