"""Effort through the network: slopes that are true, pictures closer to what the network draws."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tokcodec import errors
from tokcodec.cli import main
from tokcodec.coder.codestring import read
from tokcodec.effort import view as views
from tokcodec.effort.adjoint import norms
from tokcodec.effort.descent import Descent
from tokcodec.effort.draft import Draft
from tokcodec.effort.moves import Cells, Moves, moved
from tokcodec.pixels import colour
from tokcodec.psnr import psnr
from tokcodec.tokens.order import Order, order_for

torch = pytest.importorskip("torch")

from safetensors.numpy import save_file  # noqa: E402

from tokcodec import decoders  # noqa: E402
from tokcodec.decoders import stored  # noqa: E402
from tokcodec.decoders.neural import neural  # noqa: E402
from tokcodec.decoders.trained import opened  # noqa: E402

WIDTH, HEIGHT = 64, 47


@pytest.fixture(scope="module")
def picture(photograph) -> np.ndarray:
    return photograph("chelsea", WIDTH, HEIGHT)


def begun(picture: np.ndarray, **limits) -> tuple[Order, Draft]:
    """What a plain stream of a picture says."""
    grey = bool((picture == picture[..., :1]).all())
    order = order_for(tokcodec.load().model, *picture.shape[:2], 1 if grey else 3)
    payload = tokcodec.encode(picture, bare=True, **limits)
    return order, Draft.split(order, read(order, payload, keep=True).digits)


def seen(data: bytes, picture: np.ndarray, **how) -> float:
    """Decibels of what a decoder draws; the network, if none is named."""
    how = how or {"decoder": "neural", "realism": 0.0}
    return psnr(np.asarray(tokcodec.decode(data, **how)), picture)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("budget", [3, 60, 400])
def test_it_draws_as_the_decoder_does(picture, grey, budget):
    if grey:
        picture = picture[..., 1:2].repeat(3, -1)
    order, draft = begun(picture, budget=budget)
    view = views.find("neural", order)
    planes = view.draw(draft.known())
    runtime, _ = opened(decoders.SHIPPED, "torch")
    expected = neural(draft.known(), (WIDTH, HEIGHT), runtime)
    assert np.array_equal(view.picture(draft.known()), expected)
    drawn = colour.to_rgb(list(planes)).astype(int)
    assert np.abs(drawn - expected).max() <= 1
    assert (drawn != expected).mean() < 0.01


def test_what_moves_did_is_measured_by_slopes_before_and_after(picture):
    order, draft = begun(picture, budget=150)
    view, planes = views.find("neural", order), colour.to_planes(picture, grey=False)
    descent, weights = Descent(draft, planes, view), norms(HEIGHT, WIDTH)
    slopes = descent._sloping()
    cells = Cells.of(draft, draft.priced()[1])
    each, zero = len(order.bands) // 3, np.zeros(1, np.float32)
    reckoned, measured, true = [], [], []
    for at in np.random.default_rng(3).permutation(np.flatnonzero(np.abs(cells.q) == 1))[:10]:
        one = Cells(*(column[at : at + 1] for column in cells))
        band, cell, way = int(one.band[0]), int(one.at[0]), -int(one.q[0])
        slope = slopes[band % each][order.bands[band].channel].ravel()[cell]
        reckoned += one.errors(way, slope, weights[band % each].ravel()[cell]).tolist()
        move = Moves(one.band, one.at, np.array([way]), one.changes(way), zero, zero)
        after = moved(draft, move).known()
        measured += descent._measured(move, after).tolist()
        true.append(float(np.square(planes - view.draw(after)).sum()) - descent.error)
    far, near = (np.abs(np.subtract(found, true)).mean() for found in (reckoned, measured))
    assert near < 0.7 * far
    assert near < 0.3 * np.abs(true).mean()


def test_the_network_draws_closer(photograph):
    picture = photograph("coffee", 96, 72)
    plain = tokcodec.encode(picture, max_bytes=220)
    straight = tokcodec.encode(picture, max_bytes=220, effort=4)
    data = tokcodec.encode(picture, max_bytes=220, effort=4, decoder="neural")
    assert len(data) == 220
    assert seen(data, picture) > max(seen(plain, picture), seen(straight, picture)) + 0.05
    assert seen(data, picture, decoder="linear") > seen(plain, picture, decoder="linear") - 1
    assert tokcodec.decode(tokcodec.cut(data, max_bytes=100)).size == (96, 72)


@pytest.mark.parametrize("limit", [{"budget": 100}, {"quality": 30}])
def test_tokens_given_show_no_less_through_the_network(picture, limit):
    plain = tokcodec.encode(picture, **limit)
    data = tokcodec.encode(picture, effort=4, decoder="neural", **limit)
    assert seen(data, picture) >= seen(plain, picture)
    assert tokcodec.info(data).tokens >= limit.get("budget", 0)


def test_with_a_reference_and_small_grey_pictures(picture):
    first = tokcodec.encode(picture, max_bytes=200)
    later = np.roll(picture, 2, axis=1)
    data = tokcodec.encode(later, max_bytes=90, effort=4, decoder="neural", reference=first)
    assert len(data) <= 90
    assert np.asarray(tokcodec.decode(data, reference=first)).shape == later.shape
    for height, width in ((1, 1), (3, 4), (1, 40), (9, 5)):
        small = picture[:height, :width, 1:2].repeat(3, -1)
        data = tokcodec.encode(small, max_bytes=14, effort=4, decoder="neural")
        assert seen(data, small) >= seen(tokcodec.encode(small, max_bytes=14), small)


def test_a_decoder_of_ones_own(picture, tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(decoders.SHIPPED.read_bytes())
    mine = tokcodec.encode(picture, max_bytes=60, effort=2, decoder=path)
    assert mine == tokcodec.encode(picture, max_bytes=60, effort=2, decoder="neural")
    assert mine == tokcodec.encode(picture, max_bytes=60, effort=2, decoder="auto")
    kept = stored.read(decoders.SHIPPED)
    kept.about["tokens"] = tokcodec.load().model.tokens_id
    stored.write(path, kept, overwrite=True)
    assert mine == tokcodec.encode(picture, max_bytes=60, effort=2, decoder=path)
    with pytest.raises(errors.ModelMismatchError, match=r"another model than pyramid$"):
        tokcodec.encode(picture, max_bytes=60, effort=2, decoder=path, model="pyramid")
    save_file({"w": np.zeros(3, np.float32)}, path)
    with pytest.raises(errors.DamagedModelError):
        tokcodec.encode(picture, max_bytes=120, effort=4, decoder=path)
    with pytest.raises(errors.InputError, match="cannot read"):
        tokcodec.encode(picture, max_bytes=120, effort=4, decoder=tmp_path / "none.safetensors")


@pytest.mark.parametrize("name", ["onnx", "realesrgan", "best", "mine.onnx"])
def test_no_slopes_through_other_decoders(picture, name):
    with pytest.raises(errors.ArgumentError, match="effort sees through"):
        tokcodec.encode(picture, max_bytes=50, effort=4, decoder=name)


def test_decibels_are_of_the_linear_decoder(picture):
    first = tokcodec.encode(picture, max_bytes=200)
    for limits in ({"psnr": 25.0}, {}, {"quality": 40, "reference": first}):
        with pytest.raises(errors.ArgumentError, match="linear decoder"):
            tokcodec.encode(picture, effort=4, decoder="neural", **limits)


def test_a_decoder_without_effort_is_refused(picture):
    with pytest.raises(errors.ArgumentError, match="give effort"):
        tokcodec.encode(picture, max_bytes=50, decoder="neural")


def test_large_pictures_are_refused_or_seen_straight(monkeypatch, picture):
    monkeypatch.setattr(views, "MAX_VIEWED", WIDTH * HEIGHT - 1)
    with pytest.raises(errors.ArgumentError, match=f"{WIDTH}x{HEIGHT}"):
        tokcodec.encode(picture, max_bytes=50, effort=4, decoder="neural")
    straight = tokcodec.encode(picture, max_bytes=50, effort=4)
    assert tokcodec.encode(picture, max_bytes=50, effort=4, decoder="auto") == straight


def test_without_torch_the_extra_is_named(monkeypatch, picture):
    monkeypatch.setattr(views, "installed", lambda way: False)
    with pytest.raises(errors.ArgumentError, match=r"tokcodec\[neural\]"):
        tokcodec.encode(picture, max_bytes=50, effort=4, decoder="neural")
    straight = tokcodec.encode(picture, max_bytes=50, effort=4)
    assert tokcodec.encode(picture, max_bytes=50, effort=4, decoder="auto") == straight


def test_the_command_takes_a_decoder(picture, tmp_path, capsys):
    source, found = tmp_path / "a.png", tmp_path / "a.tkc"
    Image.fromarray(picture).save(source)
    command = ["encode", str(source), "--max-bytes", "60", "--decoder", "neural"]
    assert main([*command, "--effort", "2"]) == 0
    assert found.read_bytes() == tokcodec.encode(picture, max_bytes=60, effort=2, decoder="neural")
    assert main([*command, "--force"]) != 0
    assert "give effort" in capsys.readouterr().err


def test_effort_for_the_linear_decoder_loads_no_torch():
    program = (
        "import sys, numpy as np, tokcodec;"
        "picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8);"
        "tokcodec.encode(picture, max_bytes=60, effort=4);"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
