"""The search finds what trying everything finds, within the limit and with few files judged."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from PIL import Image

from benchmarks.codecs import find
from benchmarks.codecs.scaled import scaled_size
from benchmarks.search import LEEWAY, best, winners
from tokcodec.errors import InputError
from tokcodec.psnr import psnr

LIMITS = (40, 70, 100, 150, 250, 400, 700, 1200)


def closeness(a, b):
    return -float(np.abs(a.astype(int) - b).mean())


@pytest.fixture(scope="module")
def picture(photograph):
    return Image.fromarray(photograph("chelsea", 72, 48))


@pytest.mark.parametrize("name", ["webp", "jpeg"])
def test_no_quality_at_any_scale_is_better(name, picture):
    codec, original = find(name), np.asarray(picture)
    everything = []
    sizes = {scaled_size(picture.size, scale): scale for scale in reversed(codec.scales)}
    for scale, (fixed, qualities) in product(sizes.values(), codec.variants()):
        for quality in qualities:
            data = codec.encode(picture, {"scale": scale, **fixed, "quality": quality})
            decoded = np.asarray(codec.decode(data, picture.size))
            everything.append((len(data), psnr(original, decoded), scale))
    found = winners(codec, picture, LIMITS, {"any": psnr}, {"full": psnr})
    short = []  # decibels below the best of all
    for limit, (label, least) in product(LIMITS, (("any", 0), ("full", 1))):
        possible = [p for length, p, scale in everything if length <= limit and scale >= least]
        winner = found[limit, label]
        if not possible:
            assert winner is None
            continue
        assert len(winner.data) <= limit
        short.append(max(possible) - winner.score)
        assert winner.score == psnr(original, winner.picture)
        assert codec.encode(picture, winner.settings) == winner.data
    assert len(short) >= len(LIMITS)
    assert max(short) < 0.06  # lengths of tiny files jump about; of larger ones it is 0
    assert np.mean(short) < 0.01


def test_each_file_is_judged_once_and_hopeless_ones_never(picture):
    codec, original, seen = find("webp"), np.asarray(picture), []

    def judge(a, b):
        assert a.tobytes() == original.tobytes()
        seen.append(b.tobytes())
        return closeness(a, b)

    found = winners(codec, picture, LIMITS, {"a": judge, "b": judge}, {"c": judge})
    files = {data for limit in LIMITS for _, data in codec.fitting(picture, limit)}
    assert len(seen) == len(set(seen)) < len(files)
    lowest = next(w for limit in LIMITS if (w := best(codec, picture, limit, psnr))).score
    for pixels in seen:
        picture_seen = np.frombuffer(pixels, np.uint8).reshape(original.shape)
        assert psnr(original, picture_seen) >= lowest - LEEWAY
    for limit in LIMITS:
        assert found[limit, "a"] == found[limit, "b"]


def test_a_larger_limit_is_never_worse(picture):
    for name in ("webp", "jpeg2000", "blurhash"):
        found = winners(find(name), picture, LIMITS, {"it": closeness})
        scores = [found[limit, "it"].score for limit in LIMITS if found[limit, "it"]]
        assert scores == sorted(scores)
        assert len(scores) > 3


def test_the_judge_decides(picture):
    """Two judges of opposite taste get different files from one search."""
    webp = find("webp")
    found = winners(webp, picture, [400], {"good": psnr, "bad": lambda a, b: -psnr(a, b)})
    good, bad = found[400, "good"], found[400, "bad"]
    assert psnr(np.asarray(picture), good.picture) > psnr(np.asarray(picture), bad.picture)
    assert best(webp, picture, 400, psnr).data == good.data


def test_nothing_fits(picture):
    assert best(find("jpeg"), picture, 50, psnr) is None
    assert best(find("jpeg"), picture, 200, psnr, full_size=True) is None
    assert find("jpeg").smallest(picture, full_size=True) > find("jpeg").smallest(picture) > 50


def test_a_side_too_long_for_the_format_is_scaled_down(monkeypatch, picture):
    webp = find("webp")
    monkeypatch.setattr(webp, "longest", 40)
    assert best(webp, picture, 400, psnr).settings["scale"] == 0.5
    assert best(webp, picture, 400, psnr, full_size=True) is None
    with pytest.raises(InputError, match="40 pixels"):
        webp.smallest(picture, full_size=True)


def test_tokcodec_gives_each_limit_its_own_file(picture):
    found = winners(find("tokcodec"), picture, (60, 120), {"it": lambda a, b: -psnr(a, b)})
    assert [len(found[limit, "it"].data) for limit in (60, 120)] == [60, 120]


@pytest.mark.parametrize(("mode", "size"), [("RGB", (71, 48)), ("L", (72, 48))])
def test_a_codec_that_decodes_to_another_picture_is_told_what_is_wanted(mode, size, picture):
    codec = find("webp")
    codec.decode = lambda data, _: Image.new(mode, size)
    with pytest.raises(InputError, match=r"webp decodes to .*wanted an RGB picture of 72x48"):
        best(codec, picture, 400, psnr)
