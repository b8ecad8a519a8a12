"""Options are those of the verbs; others, and values of no sense, are refused."""

from __future__ import annotations

import inspect

import pytest

import tokcodec
from tokcodec import errors
from tokcodec.codec.options import DecodeOptions, EncodeOptions, StreamOptions, UnpackOptions
from tokcodec.register.codec import RegisterCodec

FLEXTOK = ("steps", "guidance", "seed", "projected")  # what its tokenizers take besides


def test_options_are_those_of_the_codecs():
    """What editors and type checkers are told is what the verbs take."""
    for options, verb, more in (
        (EncodeOptions, "encode", ()),
        (DecodeOptions, "decode", FLEXTOK),
        (StreamOptions, "cut", ()),
        (StreamOptions, "info", ()),
        (UnpackOptions, "unpack", ()),
    ):
        taken = {
            name
            for kind in (tokcodec.Codec, RegisterCodec)
            for name, p in inspect.signature(getattr(kind, verb)).parameters.items()
            if p.kind is p.KEYWORD_ONLY
        }
        assert set(options.__annotations__) == taken | set(more)


def test_options_of_another_family_are_refused(picture):
    with pytest.raises(errors.ArgumentError, match="fit"):
        tokcodec.encode(picture, 5, fit="crop")
    tokens, data = tokcodec.tokenize(picture, 5), tokcodec.encode(picture, 5)
    for call in (
        lambda: tokcodec.tokenize(picture, 5, fit="pad"),
        lambda: tokcodec.decode(data, steps=3),
        lambda: tokcodec.detokenize(tokens, steps=3),
        lambda: tokcodec.unpack(data, fit="pad"),
    ):
        with pytest.raises(errors.ArgumentError, match="another family"):
            call()
    with pytest.raises(TypeError, match="realsim"):
        tokcodec.decode(data, realsim=0)
    for option in ({"decoder": "linear"}, {"effort": 3}, {"quality": 50}, {"psnr": 20}):
        with pytest.raises(errors.ArgumentError, match="register-small"):
            tokcodec.encode(picture, 5, model="register-small", **option)


@pytest.mark.parametrize(
    "wrong", [{"psnr": 10**400}, {"background": [[1], [2, 3], [4]]}, {"background": "red"}]
)
def test_values_of_any_shape_are_refused_as_what_they_are(picture, wrong):
    with pytest.raises(errors.ArgumentError, match=next(iter(wrong))):
        tokcodec.encode(picture, **wrong)


def test_messages_stay_short_whatever_is_given(picture):
    data = bytes(100_000)
    for call in (
        lambda: tokcodec.encode(picture, data),
        lambda: tokcodec.encode(picture, bare=data),
        lambda: tokcodec.encode(picture, psnr=data),
        lambda: tokcodec.encode(picture, quality=data),
        lambda: tokcodec.encode(picture, effort=data),
        lambda: tokcodec.decode(data[:8], original_size=data),
    ):
        with pytest.raises(errors.ArgumentError) as told:
            call()
        assert len(str(told.value)) < 300


def test_unknown_decoder_and_size(astronaut):
    data = tokcodec.encode(astronaut, budget=5)
    with pytest.raises(errors.ArgumentError, match="no decoder"):
        tokcodec.decode(data, decoder="crayon")
    for size in ((0, 5), (5,), "big"):
        with pytest.raises(errors.ArgumentError):
            tokcodec.decode(data, size=size)
    with pytest.raises(errors.ArgumentError, match="bytes"):
        tokcodec.decode("not bytes")
    with pytest.raises(errors.ArgumentError, match="bytes"):
        tokcodec.load().cut("not bytes", 5)


def test_a_limit_of_pixels_is_a_number(astronaut):
    data = tokcodec.encode(astronaut, budget=4)
    for call in (
        lambda m: tokcodec.encode(astronaut, max_pixels=m),
        lambda m: tokcodec.decode(data, max_pixels=m),
    ):
        with pytest.raises(errors.ArgumentError, match="max_pixels is a number"):
            call("many")
        with pytest.raises(errors.ArgumentError, match="max_pixels is a number"):
            call(float("nan"))
