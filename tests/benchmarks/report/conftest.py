"""Rows of two pictures whose numbers can be worked out by hand.

There tokcodec gains 1 dB a doubling from 20 dB (apple) and 24 dB (boat) at 64 bytes; WebP needs
twice its bytes for everything and nothing fits 64; JPEG fits only the apple, at 480 bytes. At full
size WebP fits only the apple, at 512.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmarks.report.curves import Results
from benchmarks.rows import read_folder, write
from tests.benchmarks.report.asked import FIXTURE, OURS
from tests.benchmarks.report.shrinking import Shrinking, measured


@pytest.fixture(scope="session")
def results() -> Results:
    return Results(read_folder(FIXTURE))


@pytest.fixture
def bench(
    tmp_path: Path, photograph: Callable[[str, int, int], np.ndarray], monkeypatch
) -> SimpleNamespace:
    """Two pictures in a folder, and rows of three codecs for them."""
    monkeypatch.setitem(sys.modules, "benchmarks.codecs", SimpleNamespace(find=Shrinking))
    images, rows = tmp_path / "images", tmp_path / "rows"
    images.mkdir()
    rows.mkdir()
    loaded = {}
    for name, size in (("coffee", (60, 50)), ("chelsea", (60, 50))):
        image = Image.fromarray(photograph(name, *size))
        image.save(images / f"{name}.png")
        loaded[f"{name}.png"] = image
    write(rows / "ours.tsv", measured(OURS, loaded, {64: 4, 256: 8, 1024: 16}))
    write(rows / "webp.tsv", measured("webp", loaded, {64: None, 256: 6, 1024: 12}))
    write(rows / "thumbhash.tsv", measured("thumbhash", loaded, {64: 4, 256: 4, 1024: 4}))
    return SimpleNamespace(images=images, rows=rows, out=tmp_path / "docs", loaded=loaded)
