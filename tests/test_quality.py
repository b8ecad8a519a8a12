"""Quality: more of it never costs fewer tokens, it is even over pictures, and odd pictures do."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tokcodec import quality as q
from tokcodec.cli import main
from tokcodec.coder.codestring import Script
from tokcodec.errors import ArgumentError, DamagedModelError
from tokcodec.pixels import colour
from tokcodec.psnr import psnr
from tokcodec.tokens.order import order_for
from tokcodec.tokens.quantiser import Source
from tokcodec.tokens.tokens import DIGITS
from tokcodec.tokens.transform import analyse

STEPS = (0, 15, 30, 50, 75, 90, 98)
NAMES = ("astronaut", "chelsea", "coffee", "rocket", "motorcycle_left", "retina")


def gauge_of(rgb: np.ndarray) -> q.Gauge:
    codec = tokcodec.load()
    order = order_for(codec.model, rgb.shape[0], rgb.shape[1], 3)
    source = Source(order, analyse(colour.to_planes(rgb, False)))
    return q.Gauge(Script(order, source.digits), source, q.shipped())


def errors_of(rgb: np.ndarray, digits: int) -> np.ndarray:
    """The predicted error of each prefix, from none to at least so many digits."""
    gauge = gauge_of(rgb)
    found = [np.array([gauge.error])]
    for number in range(len(gauge.order.passes)):
        if sum(map(len, found)) > digits:
            break
        found.append(gauge.after(number))
    return np.concatenate(found)


@pytest.fixture(scope="module")
def pictures(photograph) -> list[np.ndarray]:
    return [photograph(name, 96, 96) for name in NAMES]


@pytest.fixture(scope="module")
def streams(pictures) -> dict[int, list[bytes]]:
    return {step: [tokcodec.encode(p, quality=step) for p in pictures] for step in STEPS}


def test_more_quality_goes_on_where_less_stopped(streams):
    for lower, higher in itertools.pairwise(STEPS):
        for few, many in zip(streams[lower], streams[higher], strict=True):
            assert len(few) < len(many)
            assert many.startswith(few)


def test_a_little_more_quality_never_takes_fewer_tokens(astronaut):
    found = [tokcodec.encode(astronaut, quality=step) for step in np.arange(40, 45, 0.25)]
    assert all(b.startswith(a) for a, b in itertools.pairwise(found))


def test_it_is_a_cut_of_the_full_stream(pictures, streams):
    full = tokcodec.encode(pictures[0], quality=100)
    assert tokcodec.info(full).complete
    assert all(full.startswith(streams[step][0]) for step in STEPS)


def test_it_stops_at_the_first_token_that_is_enough(pictures, streams):
    aim = q.Aim(q.error_of(50), q.EVEN)
    for picture, data in zip(pictures, streams[50], strict=True):
        gauge, enough, before = gauge_of(picture), np.zeros(0, bool), 0
        for number in itertools.count():
            before += len(enough)
            enough = gauge.enough(number, [aim])
            if enough.any():
                break
        tokens = -(-(before + int(np.argmax(enough)) + 1) // DIGITS)
        assert data == tokcodec.encode(picture, budget=tokens)


def test_it_is_more_even_than_a_budget_for_all(pictures, streams):
    counts = [tokcodec.info(data).tokens for data in streams[50]]
    even = [errors_of(p, n * DIGITS)[n * DIGITS] for p, n in zip(pictures, counts, strict=True)]
    mean = int(np.mean(counts))
    fixed = [errors_of(p, mean * DIGITS)[mean * DIGITS] for p in pictures]
    assert np.std(even) < 0.5 * np.std(fixed)


def test_auto_gives_every_byte_as_much_to_do(pictures):
    """The error by the bytes, which is what another byte takes off, is the same in all pictures."""
    found = {}
    for budget, quality in (("auto", None), (None, 50)):
        streams = [tokcodec.encode(p, budget, quality=quality) for p in pictures]
        tokens = [tokcodec.info(data).tokens for data in streams]
        errors = [
            errors_of(p, n * DIGITS)[n * DIGITS] for p, n in zip(pictures, tokens, strict=True)
        ]
        sizes = [
            len(tokcodec.encode(p, n, bare=True)) for p, n in zip(pictures, tokens, strict=True)
        ]
        found[budget] = np.std(np.log(np.array(errors) / sizes))
    assert found["auto"] < 0.05 < 0.5 * found[None]


def test_a_busy_picture_deserves_more(photograph):
    calm, busy = (photograph(name, 96, 96) for name in ("rocket", "motorcycle_left"))
    assert len(tokcodec.encode(busy, quality=50)) > 1.5 * len(tokcodec.encode(calm, quality=50))
    assert len(tokcodec.encode(busy, "auto")) > 1.1 * len(tokcodec.encode(calm, "auto"))


def test_auto_is_the_same_in_a_batch(astronaut):
    auto = tokcodec.encode(astronaut, budget="auto")
    assert auto == tokcodec.load().encode_batch([astronaut], "auto")[0]


def test_the_tightest_limit_wins(astronaut):
    at = {step: tokcodec.encode(astronaut, quality=step) for step in (30, 50, 80)}
    auto = tokcodec.encode(astronaut, "auto")
    assert len(at[30]) < len(auto) < len(at[80])
    assert tokcodec.encode(astronaut, "auto", quality=30) == at[30]
    assert tokcodec.encode(astronaut, "auto", quality=80) == auto
    assert tokcodec.encode(astronaut, 5, quality=80) == tokcodec.encode(astronaut, 5)
    assert tokcodec.encode(astronaut, max_bytes=40, quality=80) == at[80][:40]
    assert tokcodec.encode(astronaut, psnr=50, quality=30) == at[30]
    assert tokcodec.encode(astronaut, psnr=15, quality=90) == tokcodec.encode(astronaut, psnr=15)


def test_the_tightest_limit_wins_with_a_reference_too(photograph):
    picture = photograph("coffee", 48, 48)
    before = tokcodec.encode(picture[::-1], psnr=20)
    of = {name: tokcodec.encode(picture, reference=before, **limits) for name, limits in {
        "good": {"quality": 90}, "bad": {"quality": 10}, "20 dB": {"psnr": 20},
        "both": {"quality": 90, "psnr": 20}, "bad, 35 dB": {"quality": 10, "psnr": 35},
        "auto, 20 dB": {"budget": "auto", "psnr": 20},
    }.items()}  # fmt: skip
    assert of["both"] == of["auto, 20 dB"] == of["20 dB"]
    assert len(of["20 dB"]) < len(of["good"])
    assert of["bad, 35 dB"] == of["bad"]


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3), (64, 64)])
@pytest.mark.parametrize("values", [(128, 128, 128), (200, 0, 0), (255, 255, 255), (0, 0, 0)])
def test_flat_pictures_keep_their_colour(shape, values):
    picture = np.full((*shape, 3), values, np.uint8)
    shown = np.asarray(tokcodec.decode(tokcodec.encode(picture, "auto"), decoder="linear"))
    assert psnr(shown, picture) > 35
    sizes = [len(tokcodec.encode(picture, quality=step)) for step in (0, 50, 100)]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("grey", [50, 123])
def test_100_is_everything(grey):
    picture = np.full((16, 16, 3), grey, np.uint8)
    data = tokcodec.encode(picture, quality=100)
    assert tokcodec.info(data).complete
    assert data == tokcodec.encode(picture, budget=10**6)


def test_strips_and_noise(photograph):
    strip = photograph("coffee", 400, 3)
    noise = np.random.default_rng(0).integers(0, 256, (48, 48, 3)).astype(np.uint8)
    for picture in (strip, noise):
        sizes = [len(tokcodec.encode(picture, quality=step)) for step in STEPS]
        assert sizes == sorted(sizes)
        assert sizes[-1] > sizes[0]


def test_grey_takes_about_as_much_as_colour(photograph):
    colourful = photograph("camera", 128, 128)
    grey = np.repeat(colourful[..., 1:2], 3, -1)
    data = tokcodec.encode(grey, quality=60)
    assert tokcodec.info(data).grey
    tinted = grey.copy()
    tinted[0, 0, 0] ^= 1
    assert len(data) == pytest.approx(len(tokcodec.encode(tinted, quality=60)), rel=0.1)


def test_the_same_at_any_size(photograph):
    """Larger pictures take more tokens, but fewer a pixel."""
    small, large = photograph("chelsea", 96, 64), photograph("chelsea", 384, 256)
    few, many = (tokcodec.info(tokcodec.encode(p, "auto")).tokens for p in (small, large))
    assert few < many < 16 * few


def test_effort_keeps_the_tokens(astronaut):
    plain = tokcodec.encode(astronaut, quality=30)
    data = tokcodec.encode(astronaut, quality=30, effort=1)
    assert tokcodec.info(data).tokens >= tokcodec.info(plain).tokens - 1


@pytest.mark.parametrize("bad", [-1, 100.5, float("nan"), float("inf"), True, "50", [50]])
def test_a_quality_out_of_range(astronaut, bad):
    with pytest.raises(ArgumentError, match=r"quality lies in 0\.\.100"):
        tokcodec.encode(astronaut, quality=bad)


def test_a_budget_of_another_name(astronaut):
    with pytest.raises(ArgumentError, match="'auto'"):
        tokcodec.encode(astronaut, budget="most")


def test_a_damaged_file_of_weights(monkeypatch, tmp_path):
    good = json.loads(q.SHIPPED.read_text())
    for text in (
        "", "[]", "{}",
        json.dumps(good | {"masking": 0}),
        json.dumps(good | {"weights": [0.1]}),
        json.dumps(good | {"weights": [-0.1, *good["weights"][1:]]}),
        json.dumps(good | {"usual": [4.0]}),
        json.dumps(good | {"usual": [4.0, 1.0]}),
    ):  # fmt: skip
        path = tmp_path / "quality.json"
        path.write_text(text)
        monkeypatch.setattr(q, "SHIPPED", path)
        with pytest.raises(DamagedModelError):
            q.shipped.__wrapped__()


def test_the_command(astronaut, tmp_path, capsys):
    png, out = tmp_path / "a.png", tmp_path / "a.tkc"
    Image.fromarray(astronaut).save(png)
    assert main(["encode", str(png), "-o", str(out), "--quality", "30"]) == 0
    assert out.read_bytes() == tokcodec.encode(astronaut, quality=30)
    assert main(["encode", str(png), "-o", str(out), "-f", "--budget", "auto"]) == 0
    assert out.read_bytes() == tokcodec.encode(astronaut, "auto")
    assert main(["encode", str(png), "-o", str(out), "-f", "--quality", "101"]) == 1
    assert "0..100" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["encode", str(png), "--budget", "most"])
    assert "a number of tokens, or auto" in capsys.readouterr().err
