"""Pictures of every kind and size, encoded and decoded."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import tokcodec
from tokcodec.psnr import psnr
from tokcodec.registry import DEFAULT


def test_more_bytes_look_better(picture):
    quality = [
        psnr(np.asarray(tokcodec.decode(tokcodec.encode(picture, max_bytes=n))), picture)
        for n in (8, 32, 128, 512, 2048)
    ]
    assert quality == sorted(quality)
    assert quality[-1] > quality[0] + 8


def test_a_header_alone_is_flat_grey(picture):
    image = tokcodec.decode(tokcodec.encode(picture, budget=0))
    assert image.size == picture.shape[1::-1]
    assert image.getextrema() == ((128, 128),) * 3


def test_thumbnails(picture):
    data = tokcodec.encode(picture, max_bytes=400)
    whole = tokcodec.decode(data)
    for frame in ((40, 40), (17, 90), (1, 1), (1000, 1000)):
        small = tokcodec.decode(data, size=frame)
        expected = whole.copy()
        expected.thumbnail(frame)
        assert small.size == expected.size
        if min(frame) > 10:
            assert psnr(np.asarray(small), np.asarray(expected)) > 24


def test_grey_pictures_carry_no_chroma(photograph):
    grey = photograph("camera", 64, 64)
    info = tokcodec.info(tokcodec.encode(grey, budget=10**6))
    assert info.grey
    tinted = grey.copy()
    tinted[0, 0, 0] ^= 8
    assert not tokcodec.info(tokcodec.encode(tinted, budget=10)).grey
    assert info.digits < 0.4 * tokcodec.info(tokcodec.encode(tinted, budget=10**6)).digits
    decoded = np.asarray(tokcodec.decode(tokcodec.encode(grey, max_bytes=300)))
    assert (decoded[..., 0] == decoded[..., 1]).all()


@pytest.mark.parametrize(
    "shape",
    [(1, 1), (1, 2), (2, 1), (3, 3), (1, 300), (300, 1), (5, 4), (9, 8), (30, 1000), (700, 3)],
)
def test_any_size_converges(shape):
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 256, (*shape, 3)).astype(np.uint8)
    data = tokcodec.encode(noise, budget=10**9)
    assert tokcodec.info(data).complete
    assert psnr(np.asarray(tokcodec.decode(data)), noise) > 42
    assert tokcodec.decode(tokcodec.encode(noise, max_bytes=12)).size == shape[::-1]


@pytest.mark.parametrize(
    "kind", ["checkerboard", "red-green", "black-white noise", "text", "photograph"]
)
def test_any_picture_converges(kind, photograph):
    board = np.indices((65, 90)).sum(0) % 2 * 255
    picture = {
        "checkerboard": np.stack([board] * 3, -1),
        "red-green": np.stack([board, 255 - board, 0 * board], -1),
        "black-white noise": np.random.default_rng(5).integers(0, 2, (60, 60, 3)) * 255,
        "text": photograph("page", 200, 100),
        "photograph": photograph("rocket", 120, 90),
    }[kind].astype(np.uint8)
    decoded = np.asarray(tokcodec.decode(tokcodec.encode(picture, budget=10**9), decoder="linear"))
    assert psnr(decoded, picture) > 46


def test_info_counts_or_reads_the_header_alone(astronaut):
    data = tokcodec.encode(astronaut, budget=100)
    info = tokcodec.info(data)
    assert (info.model, info.width, info.height) == (DEFAULT, 96, 80)
    assert info.tokens == info.digits // 10 >= 100
    assert info.bytes == len(data)
    assert info.bits_per_pixel == pytest.approx(8 * len(data) / (96 * 80))
    assert info.complete is False
    quick = tokcodec.info(data, count=False)
    assert (quick.tokens, quick.digits, quick.complete) == (None, None, None)
    assert (quick.width, quick.bytes) == (96, len(data))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_child_draws_what_its_parent_has_drawn():
    """By fork, as multiprocessing makes children on Linux: OpenMP's threads stay behind."""
    pytest.importorskip("torch")
    code = (
        "import os, sys, numpy as np, tokcodec\n"
        "data = tokcodec.encode(np.arange(96 * 96 * 3, dtype='u1').reshape(96, 96, 3), 200)\n"
        "tokcodec.decode(data, decoder='neural')\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(tokcodec.decode(data, decoder='neural').size != (96, 96))\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))"
    )
    env = os.environ | {"OMP_NUM_THREADS": "2"}
    assert subprocess.run([sys.executable, "-c", code], env=env, timeout=200).returncode == 0


def test_no_torch_is_loaded_and_none_needed():
    program = (
        "import sys, numpy, tokcodec\n"
        "picture = numpy.zeros((40, 30, 3), numpy.uint8)\n"
        "data = tokcodec.encode(picture, budget=9)\n"
        "tokcodec.info(tokcodec.cut(data, budget=3)); tokcodec.decode(data, decoder='linear')\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
