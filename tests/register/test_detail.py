"""What a tokenizer of one's own does not see is drawn by the pyramid's decoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tests.register.own.tiny import untaught
from tokcodec import errors
from tokcodec.register import detail
from tokcodec.register.codec import RegisterCodec
from tokcodec.register.own.tokenizer import write


@pytest.fixture(scope="module")
def codec(tmp_path_factory: pytest.TempPathFactory) -> RegisterCodec:
    path = tmp_path_factory.mktemp("detail") / "mine.safetensors"
    write(path, untaught(), {})
    return tokcodec.load(path)  # type: ignore[return-value]


@pytest.fixture(scope="module")
def picture(photograph) -> np.ndarray:
    return photograph("coffee", 200, 160)


def finest(image: Image.Image) -> float:
    """How much differs from pixel to pixel along the diagonals, what enlarging never makes up."""
    x = np.asarray(image, np.float64)
    return float(np.abs(x[1:, 1:] - x[:-1, 1:] - x[1:, :-1] + x[:-1, :-1]).mean())


def test_detail_is_drawn_and_what_the_tokens_say_is_kept(codec, picture) -> None:
    data = codec.encode(picture)
    plain, drawn = codec.decode(data, decoder="linear"), codec.decode(data)
    assert finest(drawn) > 2 * finest(plain)
    small = [np.asarray(x.resize((16, 16), Image.Resampling.BOX), float) for x in (plain, drawn)]
    assert np.abs(small[0] - small[1]).mean() < 10


def test_realism_chooses_how_much(codec, picture) -> None:
    data = codec.encode(picture)
    closest, natural = (codec.decode(data, realism=r) for r in (0.0, 1.0))
    assert finest(natural) > 1.5 * finest(closest)
    assert np.array_equal(natural, tokcodec.decode(data, realism=1.0))
    assert np.array_equal(natural, codec.decode_batch([data], realism=1.0)[0])
    assert np.array_equal(natural, codec.detokenize(codec.unpack(data), realism=1.0))


def test_a_device_is_for_networks_alone() -> None:
    """Of a tokenizer on a GPU, whose user has not said that the rest should work there."""
    side, gpu = 16, "cuda:99"
    assert detail.finish(side, "linear", None, gpu) is None
    assert detail.finish(side, "onnx", None, gpu) is not None
    with pytest.raises(errors.ArgumentError, match="cuda:99"):
        detail.finish(side, "auto", None, gpu)


def test_what_is_not_enlarged_stays_as_it_was_drawn(codec, picture) -> None:
    data = codec.encode(picture)
    plain = codec.decode(data, size=(30, 30), decoder="linear")
    assert np.array_equal(codec.decode(data, size=(30, 30)), plain)


def test_what_was_cropped_away_stays_one_colour(codec, picture) -> None:
    drawn = np.asarray(codec.decode(codec.encode(picture, fit="crop")))
    for side in (drawn[:, :20], drawn[:, -20:]):
        assert (side == side[0, 0]).all()


def test_grey_stays_grey(codec, picture) -> None:
    drawn = np.asarray(codec.decode(codec.encode(picture[..., :1].repeat(3, 2))))
    assert (drawn == drawn[..., :1]).all()


def test_no_more_digits_are_told_than_asked_for(picture) -> None:
    for digits in (0, 1, 1000):
        known = detail.first(picture, digits)
        assert sum(step.digits for step in known.order.passes) > digits
        told = sum(
            known.plane[i] * band.height * band.width + known.seen(i)
            for i, band in enumerate(known.order.bands)
            if known.plane[i] >= 0
        )
        assert told == digits


def test_a_decoder_that_is_not_there(codec, picture, tmp_path: Path) -> None:
    data = codec.encode(picture, budget=4)
    with pytest.raises(errors.ArgumentError, match="no decoder"):
        codec.decode(data, decoder="best")
    with pytest.raises(errors.InputError):
        codec.decode(data, decoder=tmp_path / "none.safetensors")
    with pytest.raises(errors.ArgumentError, match="realism"):
        codec.decode(data, realism=2)
