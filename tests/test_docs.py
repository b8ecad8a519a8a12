"""What the documents show is what happens."""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tokcodec import cli
from tokcodec.model import HASHED

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "docs" / "training.md",
    *(ROOT / "docs" / "guides").glob("*.md"),
]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("benchmarks/**/*.md")]
COMMAND = re.compile(r"^tokcodec [a-z].*$", re.MULTILINE)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
ELSEWHERE = {"send", "receive", "serve", "train"}  # commands that need others, or take long


def test_the_package_example():
    assert doctest.testmod(tokcodec).failed == 0


@pytest.mark.parametrize("name", ["tour.md"])
def test_the_tour(name):
    assert doctest.testfile(str(ROOT / "docs" / name), module_relative=False).failed == 0


def test_the_format_names_the_shipped_models():
    text = (ROOT / "docs" / "FORMAT.md").read_text()
    shipped = [m for m in tokcodec.models() if m.code != HASHED]
    assert len(shipped) == 5
    assert all(f"| {m.code} | `{m.name}`" in text and m.id in text for m in shipped)


def test_every_public_name_says_what_it_is():
    assert len(tokcodec.__all__) < 24
    for name in tokcodec.__all__:
        assert getattr(tokcodec, name).__doc__, name


def test_a_codec_of_ones_own_is_measured_and_shown(
    photograph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The module and the commands of the document on benchmarks, on one small photograph."""
    pytest.importorskip("matplotlib")
    pytest.importorskip("bjontegaard")
    from benchmarks.__main__ import main
    from benchmarks.rows import read

    blocks = BLOCK.findall((ROOT / "docs" / "benchmarks.md").read_text())
    (tmp_path / "mine.py").write_text(next(text for kind, text in blocks if kind == "python"))
    (tmp_path / "photos").mkdir()
    Image.fromarray(photograph("coffee", 48, 36)).save(tmp_path / "photos" / "coffee.png")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for line in next(text for _, text in blocks if "mine:make," in text).splitlines():
        arguments = shlex.split(line)[3:]
        more = ["--metrics", "psnr", "--workers", "1"] if arguments[0] == "rd" else []
        assert main([*arguments, *more]) == 0, line
    rows = read(tmp_path / "rows" / "mine-make.tsv")
    assert [row.target for row in rows] == [256, 1024]
    assert all(row.psnr is not None and row.psnr > 10 for row in rows)
    assert "| mine:make | " in (tmp_path / "report" / "benchmarks.md").read_text()
    sys.modules.pop("mine")


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    """To a file of the project, and to a heading that it has."""
    for link in LINK.findall(BLOCK.sub("", page.read_text())):
        path, _, heading = link.partition("#")
        if ":" in path:  # the web
            continue
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def headings(page: Path) -> set[str]:
    """As links name them: lower case, hyphens for spaces, no punctuation."""
    found = HEADING.findall(BLOCK.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_understood(page: Path):
    """They parse; what they do is for tests of their own."""
    for line in COMMAND.findall(page.read_text()):
        cli._parser().parse_args(shlex.split(line, comments=True)[1:])


@pytest.mark.parametrize("page", ["README.md", "effort.md", "fixed-camera.md", "small-devices.md"])
def test_a_page_runs_from_top_to_bottom(
    page: str, photograph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_pillow: None
):
    """Every block as it is written, one after another, in a folder with a few photographs."""
    pytest.importorskip("torch")
    pytest.importorskip("ml_dtypes")
    monkeypatch.chdir(tmp_path)
    frames = [photograph("coffee", 64, 48), photograph("coffee", 64, 48).copy()]
    frames[1][10:30, 20:40] = photograph("chelsea", 20, 20)
    for name in ("photo.jpg", "other.jpg", "monday.png", "tuesday.png"):
        Image.fromarray(frames[name == "tuesday.png"]).save(name)
    streams = [tokcodec.encode(f, budget=64) for f in frames]
    names = {"tokcodec": tokcodec, "picture": frames[0], "frames": frames, "streams": streams}
    names |= {"frame": frames[1]}
    ran = 0
    for kind, text in BLOCK.findall(next(p for p in PAGES if p.name == page).read_text()):
        if kind == "python":
            exec(compile(text, page, "exec"), names)
            ran += 1
        for line in [] if kind else COMMAND.findall(text):
            verb, *arguments = shlex.split(line, comments=True)[1:]
            if verb not in ELSEWHERE:
                assert cli.main([verb, *arguments]) == 0, line
                ran += 1
    assert ran >= 3


def test_the_scripts_on_tokens_run(photograph, tmp_path: Path):
    """Each as a file of its own, since processes look for the functions that they run in one."""
    (tmp_path / "photos").mkdir()
    for name in ("coffee", "chelsea"):
        Image.fromarray(photograph(name, 96, 72)).save(tmp_path / "photos" / f"{name}.jpg")
    text = (ROOT / "docs" / "guides" / "tokens.md").read_text()
    for number, (kind, script) in enumerate(BLOCK.findall(text)):
        assert kind == "python"
        path = tmp_path / f"{number}.py"
        path.write_text(script)
        subprocess.run([sys.executable, path], cwd=tmp_path, check=True, timeout=300)
    assert np.load(tmp_path / "ids.npy").shape == (2, 256)
    assert {Image.open(path).size for path in tmp_path.glob("first-*.png")} == {(64, 64)}
