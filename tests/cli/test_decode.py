"""`tokcodec decode`: suffixes and frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tests.cli.typed import one_line, photo, pixels, run
from tokcodec import registry


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".PNG", ".tiff"])
def test_decode_to_a_named_file(folder: Path, suffix: str) -> None:
    assert run("decode", "cat.tkc", "-o", f"back{suffix}") == 0
    wanted = tokcodec.decode((folder / "cat.tkc").read_bytes())
    assert np.array_equal(pixels(folder / f"back{suffix}"), pixels(wanted))


@pytest.mark.parametrize("suffix", [".bmp", "bmp"])
def test_decode_with_a_suffix(folder: Path, suffix: str) -> None:
    assert run("decode", "cat.tkc", "--suffix", suffix) == 0
    with Image.open(folder / "cat.bmp") as image:
        assert image.format == "BMP"


@pytest.mark.parametrize("frame", ["20x20", "20X1000", "1x1", "999x999"])
def test_decode_into_a_frame(folder: Path, frame: str) -> None:
    assert run("decode", "cat.tkc", "--size", frame, "-o", "small.png") == 0
    wanted = photo()
    wanted.thumbnail(tuple(int(v) for v in frame.lower().split("x")))
    with Image.open(folder / "small.png") as image:
        assert image.size == wanted.size


def test_a_model_of_ones_own(folder: Path, own: Path, monkeypatch, capsys) -> None:
    assert run("encode", "cat.png", "-b", 30, "--model", own, "-o", "own.tkc") == 0
    stream = (folder / "own.tkc").read_bytes()
    assert tokcodec.info(stream).header_bytes == 12
    monkeypatch.setattr(registry, "_opened", {})
    assert run("decode", "own.tkc", "-o", "no.png") == 1
    assert tokcodec.load(own).model.id[:8] in one_line(capsys.readouterr().err)
    monkeypatch.setattr(registry, "_opened", {})
    assert run("decode", "own.tkc", "-o", "yes.png", "--model", own) == 0
    assert not (folder / "no.png").exists()
    assert np.array_equal(pixels(folder / "yes.png"), pixels(tokcodec.decode(stream, model=own)))


def test_a_picture_beyond_its_format_is_one_line(folder: Path, capsys) -> None:
    (folder / "long.tkc").write_bytes(tokcodec.encode(np.zeros((1, 16_400), np.uint8), 1))
    assert run("decode", "long.tkc", "-o", "long.webp") == 1  # WebP ends at 16,383
    assert one_line(capsys.readouterr().err)
    assert not (folder / "long.webp").exists()


@pytest.mark.parametrize("suffix", [".tga", ".gif", ".pcx", ".sgi"])
def test_sizes_beyond_16_bits_do_not_stop_the_rest(folder: Path, capsys, suffix: str) -> None:
    (folder / "a.tkc").write_bytes(tokcodec.encode(np.zeros((1, 65_536), np.uint8), 1))
    assert run("decode", "a.tkc", "cat.tkc", "--suffix", suffix, "--decoder", "linear") == 1
    assert "a.tkc: cannot make" in one_line(capsys.readouterr().err)
    assert (folder / f"cat{suffix}").exists()
    assert not (folder / f"a{suffix}").exists()
