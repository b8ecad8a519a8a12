"""Pictures unlike photographs: always the same ones, and what a decoder loses on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import robust
from benchmarks.__main__ import main
from benchmarks.unlikely import SIDE, unlikely


def test_they_are_always_the_same(astronaut: np.ndarray) -> None:
    one, two = (unlikely([Image.fromarray(astronaut)]) for _ in range(2))
    assert list(one) == list(two)
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)
    assert all(image.mode == "RGB" for image in one.values())
    assert one["text"].size == (SIDE, SIDE)
    assert one["4000x30"].size == (4000, 30)
    assert len({image.tobytes() for image in one.values()}) == len(one)


def test_the_best_file_counts_and_none_is_no_failure(
    astronaut: np.ndarray, tmp_path: Path, monkeypatch
) -> None:
    image = Image.fromarray(astronaut)
    monkeypatch.setattr(robust, "unlikely", lambda photographs: {"photograph": image})
    command = ["robust", "--codecs", "webp", "tokcodec:pyramid@linear", "--rates", "0.02", "4"]
    assert main([*command, "--out", str(tmp_path)]) == 0
    lines = (tmp_path / "scikit-image.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines[1:]]
    sizes, scores = ({(r[1], r[2]): r[at] for r in rows} for at in (4, 5))
    assert sizes["0.02", "webp"] == ""
    limit = 4 * image.width * image.height // 8
    assert 0.9 * limit < int(sizes["4", "webp"]) <= limit
    assert float(scores["4", "webp"]) > 30


def test_a_decoder_gains_nothing_over_itself(
    astronaut: np.ndarray, tmp_path: Path, monkeypatch, capsys
) -> None:
    images = {"flat": Image.new("RGB", (20, 20), "red"), "photograph": Image.fromarray(astronaut)}
    monkeypatch.setattr(robust, "unlikely", lambda photographs: images)
    linear = "tokcodec:pyramid@linear"
    assert main(["robust", "--codecs", linear, linear, "--rates", "0.1", "1",
                 "--out", str(tmp_path)]) == 0  # fmt: skip
    lines = (tmp_path / "scikit-image.tsv").read_text().splitlines()
    assert lines[0].split("\t") == list(robust.COLUMNS)
    assert len(lines) == 1 + 2 * 2 * 2
    shown = capsys.readouterr().out
    assert "| photograph | 0 | 0 |" in shown
    assert "| flat | 0 | 0 |" in shown
