"""The command as it is typed, and what it leaves behind."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

import tokcodec
from tokcodec.cli import main


def photo(name: str = "chelsea", side: int = 48) -> Image.Image:
    image = Image.fromarray(getattr(data, name)())
    image.thumbnail((side, side))
    return image


def run(*args: object) -> int:
    return main([str(a) for a in args])


def names(folder: Path) -> list[str]:
    """Every file below, with its folders."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def pixels(picture: Path | bytes | Image.Image) -> np.ndarray:
    if isinstance(picture, Image.Image):
        return np.asarray(picture)
    with Image.open(picture if isinstance(picture, Path) else io.BytesIO(picture)) as image:
        return np.asarray(image.convert("RGB"))


def one_line(text: str) -> str:
    """The only line on stderr, told to be ours."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert lines[0].startswith("tokcodec: ")
    return lines[0]


class Stdin:
    """What `sys.stdin` is when bytes are piped in."""

    def __init__(self, contents: bytes) -> None:
        self.buffer = io.BytesIO(contents)


def shell(folder: Path, command: str) -> subprocess.CompletedProcess[bytes]:
    """A line of shell with `tokcodec` standing for the command."""
    line = re.sub(r"\btokcodec\b", f"'{sys.executable}' -m tokcodec", command)
    root = Path(tokcodec.__file__).parent.parent
    env = os.environ | {"PYTHONPATH": str(root)}
    return subprocess.run(["sh", "-c", line], cwd=folder, env=env, capture_output=True, check=False)
