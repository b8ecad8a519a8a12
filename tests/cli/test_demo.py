"""`tokcodec demo`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

import tokcodec
from tests.cli.typed import names, one_line, pixels, run


def test_the_demo_writes_a_sheet(tmp_path: Path, capsys) -> None:
    out = tmp_path / "demo"
    assert run("demo", "-o", out, "--bytes", 64, 24, 64, "--side", 24) == 0
    table, err = capsys.readouterr()
    assert err == ""
    assert "tokcodec" in table
    assert "64 B" in table
    assert {"sheet.png", "chelsea-24.tkc", "chelsea-64.png", "rocket-64.tkc"} <= set(names(out))
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.width > 3 * 24
        assert sheet.height > 5 * 3 * 18
    for file in out.glob("*.tkc"):
        size = int(file.stem.rsplit("-", 1)[1])
        assert file.stat().st_size <= size
        wanted = tokcodec.decode(file.read_bytes())
        assert np.array_equal(pixels(file.with_suffix(".png")), pixels(wanted))


def test_the_demo_refuses_what_it_cannot_show(tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert run("demo", "-o", tmp_path / "new", "--bytes", 4) == 1
    assert "16 bytes" in one_line(capsys.readouterr().err)
    assert run("demo", "-o", tmp_path / "file", "--bytes", 16, "--side", 16) == 1
    assert "file" in one_line(capsys.readouterr().err)
    assert names(tmp_path) == ["file"]
