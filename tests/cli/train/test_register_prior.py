"""`tokcodec train register-prior` where nothing that is held out is a photograph."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tokcodec.cli import main
from tokcodec.train.images.files import Place

pytest.importorskip("torch")

from tests.register.own.tiny import taught
from tokcodec.register.own.tokenizer import write


@pytest.mark.parametrize("text", [True, False])
def test_what_was_counted_is_kept(text: bool, tmp_path: Path, photograph, capsys) -> None:
    folder, mine, prior = tmp_path / "p", tmp_path / "mine.safetensors", tmp_path / "p.safetensors"
    folder.mkdir()
    Image.fromarray(photograph("coffee", 96, 80)).save(folder / "coffee.png")
    if text:
        names = map("{}.txt".format, range(999))
        held_out = next(n for n in names if Place(folder, n, 0, None).held_out)
        (folder / held_out).write_text("Whose photographs these are.")
    write(mine, taught(), {})
    given = ["--tokenizer", str(mine), "--images", str(folder), "--out", str(prior)]
    assert main(["train", "register-prior", *given, "--count", "4", "--threads", "1"]) == 0
    assert "held out" not in capsys.readouterr().out
    assert prior.exists()
