"""Orders chosen from what is decoded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from benchmarks.__main__ import main
from benchmarks.order import WAYS, Way, walk
from tokcodec.psnr import psnr
from tokcodec.registry import DEFAULT
from tokcodec.tokens.order import order_for


def test_the_static_way_is_the_codec_itself(astronaut: np.ndarray) -> None:
    rgb = astronaut[:128, :96]
    order = order_for(tokcodec.load().model, *rgb.shape)
    found = dict(walk(order, rgb, Way(), [64, 256]))
    header = len(tokcodec.encode(rgb, 0))
    for limit, reached in found.items():
        data = tokcodec.encode(rgb, max_bytes=header + limit)
        drawn = tokcodec.decode(data, decoder="linear")
        assert reached == pytest.approx(psnr(np.asarray(drawn), rgb), abs=0.1)


@pytest.mark.parametrize("way", list(WAYS.values())[1:])
def test_other_ways_send_the_same_digits_in_the_end(astronaut: np.ndarray, way: Way) -> None:
    rgb = astronaut[:32, :48]
    order = order_for(tokcodec.load().model, *rgb.shape)
    (static,), (other,) = (dict(walk(order, rgb, w, [1800])).values() for w in (Way(), way))
    assert other == pytest.approx(static, abs=1.5)
    assert static > 35


def test_its_command_prints_what_each_way_gains(
    tmp_path: Path, astronaut: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    Image.fromarray(astronaut[:64, :64]).save(tmp_path / "in" / "a.png")
    given = ["order", "--images", str(tmp_path / "in"), "--bytes", "32,64"]
    assert main([*given, "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert all(f"| {way} |" in shown for way in WAYS)
    assert len((tmp_path / f"{DEFAULT}-in.tsv").read_text().splitlines()) == 1 + len(WAYS)
