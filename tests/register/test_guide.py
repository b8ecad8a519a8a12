"""What docs/guides/register.md shows runs, with small models in the place of published ones."""

from __future__ import annotations

import re
import sys
import warnings
from pathlib import Path

import pytest
from PIL import Image

from tests.register.checkpoints.fake_hub import Hub
from tokcodec.errors import TokCodecWarning
from tokcodec.register.checkpoints.catalogue import PUBLISHED

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "register.md"


def test_every_block_runs(
    piece_folder: Path, photograph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(tmp_path, {"turing-motors/One-D-Piece-S-256": piece_folder})
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub.module())
    monkeypatch.chdir(tmp_path)
    for name in ("photo", "other"):
        Image.fromarray(photograph("coffee", 60, 40)).save(f"{name}.jpg")
    (tmp_path / "folder-of-a-checkpoint").symlink_to(piece_folder)
    names: dict = {}
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.S)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TokCodecWarning)
        for block in blocks:
            exec(compile(block, str(GUIDE), "exec"), names)
    assert len(blocks) >= 5
    assert names["image"].size == names["again"].size == (60, 40)
    assert len(names["pictures"]) == 2


def test_every_published_model_is_named() -> None:
    text = GUIDE.read_text().replace("`-b`, `-l`", "`one-d-piece-b`, `one-d-piece-l`")
    assert [p.name for p in PUBLISHED if f"`{p.name}`" not in text] == []
