"""`--reference` of `encode` and `decode`."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tokcodec
from tests.reference.drawn import drawn
from tokcodec.cli import main


def test_the_command(scene, visited, tmp_path: Path, capsys):
    from PIL import Image

    for name, picture in (("one", scene), ("two", visited)):
        Image.fromarray(picture).save(tmp_path / f"{name}.png")
    one, two = tmp_path / "one.tkc", tmp_path / "two.tkc"
    assert main(["encode", str(tmp_path / "one.png"), "--psnr", "30"]) == 0
    assert main(
        ["encode", str(tmp_path / "two.png"), "--psnr", "30", "--reference", str(one)]
    ) == 0  # fmt: skip
    assert two.read_bytes() == tokcodec.encode(visited, psnr=30, reference=one.read_bytes())
    assert main(["info", str(two)]) == 0
    assert tokcodec.info(two.read_bytes()).reference in capsys.readouterr().out
    out = tmp_path / "out.png"
    command = ["decode", str(two), "--decoder", "linear", "-o", str(out)]
    assert main(command) == 1
    assert "missing" in capsys.readouterr().err
    assert main([*command, "--reference", str(one)]) == 0
    shown = drawn(two.read_bytes(), reference=one.read_bytes())
    assert np.array_equal(np.asarray(Image.open(out)), shown)
    assert main([*command, "-f", "--reference", str(tmp_path / "none.tkc")]) == 1
    assert "none.tkc" in capsys.readouterr().err
