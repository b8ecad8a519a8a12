"""Rows of a run to plots, tables, contact sheets and a page (`python -m benchmarks report`)."""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from benchmarks.lists import whole_numbers
from benchmarks.pictures import SETS
from benchmarks.report import tables, words
from benchmarks.report.curves import Metric, Results
from benchmarks.report.document import update
from benchmarks.report.page import PictureRows, page, picture_rows
from benchmarks.report.plots import plot
from benchmarks.report.remake import Workshop
from benchmarks.report.sheets import choose_images, choose_targets, sheet
from benchmarks.report.worst import worst
from benchmarks.rows import read_folder
from tokcodec.errors import ArgumentError, TokCodecWarning
from tokcodec.files import make_folder, read, write_atomically

OUT, RESULTS = Path("docs"), "benchmarks/results"
FOLDED = ("ms_ssim", "lpips_vgg", "ssimulacra2")  # said already, nearly, by the others
NEEDED_FOLDED = ("dists", *FOLDED)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `python -m benchmarks report`."""
    parser.add_argument("folder", type=Path, help="folder of rows (*.tsv), as `rd` writes it")
    parser.add_argument(
        "--images", help="set or folder that the rows were measured on (default: the folder's name)"
    )
    parser.add_argument("--out", type=Path, help="where benchmarks.md is (default: docs)")
    parser.add_argument("--html", type=Path, help="the page (default: OUT/benchmarks-NAME.html)")
    parser.add_argument("--no-pictures", action="store_true", help="plots and tables only")
    parser.add_argument("--sheet-images", default="", help="pictures of the contact sheets: A,B,C")
    parser.add_argument("--sheet-bytes", default="", help="byte targets on them: 64,256,1024")


def run(args: argparse.Namespace) -> int:
    """Draw and write everything; 0.

    Raises:
        InputError: broken rows, a document with broken markers, no matplotlib.
        ArgumentError: pictures or byte targets that the rows do not have, or a folder that is
            named like a set whose rows are elsewhere.
        OutputError: something cannot be written.
    """
    name = _checked_name(args)
    results, out = Results(read_folder(args.folder)), args.out or OUT
    targets = choose_targets(results, _wanted_targets(results, args.sheet_bytes))
    target = targets[len(targets) // 2]
    chosen = _wanted_images(results, args.sheet_images) or choose_images(results, results.images)
    folder = out / "benchmarks"
    make_folder(folder)
    plots = {metric: plot(results, metric) for metric in results.metrics()}
    for metric, svg in plots.items():
        write_atomically(folder / f"{name}-{metric.name}.svg", svg, overwrite=True)
    sheets = {image: folder / f"{name}-{_plain(image)}.jpg" for image in chosen}
    badly, own = folder / f"{name}-worst.jpg", folder / f"{name}.md"
    rows: PictureRows = []
    if not args.no_pictures:
        workshop = Workshop(results, args.images or args.folder.resolve().name)
        rows = _pictures(workshop, sheets, badly, targets, target)
    there = {image: path for image, path in sheets.items() if path.is_file()}  # of an earlier run
    links = {image: path.name for image, path in there.items()}
    sheet_of_worst = badly.name if badly.is_file() else None
    update(own, {name: everything(results, name, links, sheet_of_worst)})
    source = _source(args.folder, name)
    blocks = {f"rd {name}": summary(results, name, source), "published": _published()}
    update(out / "benchmarks.md", blocks)
    shown = {image: read(path) for image, path in there.items()}
    whole = page(results, name, plots, shown, rows, target)
    path = args.html or out / f"benchmarks-{name}.html"
    make_folder(path.parent)
    write_atomically(path, whole, overwrite=True)
    print(f"{out / 'benchmarks.md'}, {own}, {folder}/{name}-*, {path} ({len(whole):,} bytes)")
    return 0


def _checked_name(args: argparse.Namespace) -> str:
    """What blocks and pages are called, unless they would replace those of a set whose rows are
    elsewhere.
    """
    name = set_of(args.folder)
    if name in SETS and not below_results(args.folder) and args.out is None:
        raise ArgumentError(
            f"{args.folder} would replace what the document says of {name}, whose rows are in "
            f"{RESULTS}/{name}: give another --out than {OUT}"
        )
    return name


def _pictures(
    workshop: Workshop,
    sheets: Mapping[str, Path],
    badly: Path,
    targets: Sequence[int],
    target: int,
) -> PictureRows:
    """Write the sheet of the pictures that look worst and those of the chosen ones, as far as
    pictures and codecs are at hand; a row for every picture. One warning says what is not.
    """
    made = worst(workshop)
    if made is not None:
        write_atomically(badly, made, overwrite=True)
    for image, path in tqdm(sheets.items(), disable=not sys.stderr.isatty(), unit="sheet"):
        made = sheet(workshop, image, targets)
        if made is not None:
            write_atomically(path, made, overwrite=True)
    rows = picture_rows(workshop, target)
    if workshop.problems:
        text = "contact sheets left out or with gaps: " + "; ".join(workshop.problems)
        warnings.warn(text, TokCodecWarning, stacklevel=3)
    return rows


def _source(folder: Path, name: str) -> str:
    """Where the rows are, as the document says it: no path that holds on one machine alone."""
    if below := below_results(folder):
        return "/".join((RESULTS, *below))
    return name if folder.is_absolute() else folder.as_posix()


def _published() -> str:
    table = tables.published_points().to_markdown()
    return f"{words.PUBLISHED}\n\n{_folded('Published tokenizers', [table])}"


def summary(results: Results, name: str, source: str) -> str:
    """What stands of a set in the document; `source`: where the rows are."""
    shown = _shown(results)
    out = [f"{len(results.images)} pictures; rows in `{source}`.", ""]
    out += [_plot(name, shown[0], "benchmarks/"), ""]
    out += [tables.means(results, m).to_markdown() for m in shown]
    more = (
        f"[All of this set](benchmarks/{name}.md): every metric, bytes needed, sheets to look at."
    )
    return "\n".join([*out, words.MEANS, "", more])


def everything(
    results: Results, name: str, sheets: dict[str, str], badly: str | None = None
) -> str:
    """The page of a set; `sheets`: picture to its path from there; `badly`: path of the sheet of
    those that look worst.
    """
    metrics, shown = results.metrics(), _shown(results)
    folded = [m for m in metrics if m.name in NEEDED_FOLDED]
    out = [f"# Bytes against fidelity: {name}", ""]
    for metric in shown:
        out += [_plot(name, metric), ""]
    out += [words.PLOT, "", words.CHOICE, ""]
    out += [tables.means(results, m).to_markdown() for m in shown]
    out += [words.MEANS, ""]
    for codec in tables.ours(results):
        out += [tables.bd_rates(results, codec).to_markdown(), words.BD_RATE, ""]
        out += _needed(results, codec, [m for m in metrics if m.name not in NEEDED_FOLDED])
        out += [words.NEEDED, ""]
    if folded:
        names = ", ".join(m.label.partition(",")[0] for m in folded)
        inner = []
        for metric in (m for m in metrics if m not in shown):
            inner += [_plot(name, metric), "", tables.means(results, metric).to_markdown()]
        for codec in tables.ours(results):
            inner += _needed(results, codec, folded)
        out += [_folded(f"The same for {names}", inner), ""]
    for image, path in sheets.items():
        out += [f"![{image}: the original and every codec at the same bytes]({path})", ""]
    if sheets:
        out += [words.SHEET, ""]
    if badly:
        out += [f"![The pictures that look worst, by every decoder]({badly})", "", words.WORST, ""]
    return "\n".join([*out, tables.versions(results).to_markdown()])


def _folded(summary: str, lines: list[str]) -> str:
    return "\n".join([f"<details><summary>{summary}</summary>", "", *lines, "</details>"])


def _needed(results: Results, codec: str, metrics: list[Metric]) -> list[str]:
    return [t.to_markdown() for m in metrics for t in tables.needed(results, m, codec)]


def _shown(results: Results) -> list[Metric]:
    """The metrics that are not folded away."""
    metrics = results.metrics()
    return [m for m in metrics if m.name not in FOLDED] or list(metrics)


def _plot(name: str, metric: Metric, folder: str = "") -> str:
    what = metric.label.partition(",")[0]
    return f"![Bytes against {what} on {name}]({folder}{name}-{metric.name}.svg)"


def _wanted_images(results: Results, text: str) -> list[str]:
    wanted = [name for name in text.split(",") if name]
    if unknown := sorted(set(wanted) - set(results.images)):
        raise ArgumentError(f"no rows for the pictures {', '.join(unknown)}")
    return wanted


def _wanted_targets(results: Results, text: str) -> Sequence[int]:
    wanted = whole_numbers(text, "sheet-bytes") if text else []
    if missing := sorted(set(wanted) - set(results.targets)):
        raise ArgumentError(f"no rows for {', '.join(map(str, missing))} bytes")
    return wanted


def below_results(folder: Path) -> tuple[str, ...]:
    """A folder's path below benchmarks/results, in parts; none where it is elsewhere.

    >>> below_results(Path("benchmarks/results/register/kodak256"))
    ('register', 'kodak256')
    """
    parts, among = folder.resolve().parts, tuple(RESULTS.split("/"))
    for end in range(len(parts), 0, -1):
        if parts[:end][-len(among) :] == among:
            return parts[end:]
    return ()


def set_of(folder: Path) -> str:
    """What blocks and pages of a folder's rows are called: after its path below benchmarks/results,
    as parts of a benchmark may have rows of a set of their own; elsewhere after the folder itself.

    >>> set_of(Path("benchmarks/results/register/kodak256")), set_of(Path("rows/kodak256"))
    ('register-kodak256', 'kodak256')
    """
    return _plain("-".join(below_results(folder) or folder.resolve().parts[-1:]))


def _plain(name: str) -> str:
    """A name that needs no quoting in paths, links and comments."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.") or "rows"
