"""What is tokcodec's own: rows by budget and by prefix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import tokens
from benchmarks.__main__ import main


@pytest.fixture
def folder(tmp_path: Path, astronaut: np.ndarray) -> Path:
    (tmp_path / "images").mkdir()
    Image.fromarray(astronaut).save(tmp_path / "images" / "a.png")
    return tmp_path


def rows(path: Path) -> list[dict[str, str]]:
    names, *lines = [line.split("\t") for line in path.read_text().splitlines()]
    return [dict(zip(names, line, strict=True)) for line in lines]


def test_more_tokens_take_more_bytes_and_show_more(folder: Path) -> None:
    arguments = ["--images", str(folder / "images"), "--out", str(folder), "--only", "budgets"]
    assert main(["tokens", *arguments]) == 0
    found = rows(folder / "budgets-images.tsv")
    assert [int(r["budget"]) for r in found] == list(tokens.BUDGETS)
    for column in ("bytes", "psnr"):
        values = [float(r[column]) for r in found]
        assert values == sorted(set(values))


def test_every_prefix_is_held_against_the_bound(folder: Path) -> None:
    arguments = ["--images", str(folder / "images"), "--out", str(folder), "--only", "prefixes"]
    assert main(["tokens", *arguments]) == 0
    found = rows(folder / "prefixes-images.tsv")
    assert [int(r["bytes"]) for r in found] == list(range(len(found)))
    for row in found:  # no prefix holds more than ideal codes could
        assert int(row["digits"]) <= int(row["digits_at_best"])
        assert float(row["bits_unused"]) >= -1e-6


def test_a_wrong_token_stops_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tokens.codestring.read

    def wrong(*args, **kwargs):
        reading = real(*args, **kwargs)
        if len(reading.digits):
            reading.digits[-1] = (reading.digits[-1] + 2) % 3 - 1
        return reading

    monkeypatch.setattr(tokens.codestring, "read", wrong)
    image = Image.open(folder / "images" / "a.png")
    with pytest.raises(tokens.WrongToken, match="wrong token"):
        tokens.prefixes({"a": image})
