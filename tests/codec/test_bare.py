"""Streams without a header, and what a header tells already."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import tokcodec
from tokcodec import errors
from tokcodec.registry import DEFAULT, PYRAMIDS


def test_bare_streams(picture):
    full = tokcodec.encode(picture, max_bytes=200)
    size, grey = picture.shape[1::-1], tokcodec.info(full).grey
    bare = tokcodec.encode(picture, max_bytes=192, bare=True)
    assert bare == full[8:]
    drawn = tokcodec.decode(bare, model=DEFAULT, original_size=size, grey=grey)
    assert drawn.tobytes() == tokcodec.decode(full).tobytes()
    sized = tokcodec.encode(picture, max_bytes=196, bare="size")
    assert sized[4:] == bare
    assert tokcodec.decode(sized, bare="size").tobytes() == drawn.tobytes()
    mirrored = tokcodec.decode(bare, bare=True, original_size=size, grey=grey)
    assert mirrored.tobytes() == drawn.tobytes()
    assert tokcodec.decode(b"", original_size=size).size == size
    many = tokcodec.load().decode_batch([bare, bare], original_size=size, grey=grey)
    assert [p.tobytes() for p in many] == [drawn.tobytes()] * 2


@pytest.mark.parametrize("model", list(PYRAMIDS))
def test_bare_streams_tell_and_are_cut_as_whole_ones(picture, model):
    full = tokcodec.encode(picture, max_bytes=200, model=model)
    whole = tokcodec.info(full)
    for bare, more in (
        ("size", {}),
        (True, {"original_size": (whole.width, whole.height), "grey": whole.grey}),
    ):
        given = {"bare": bare, "model": model, **more}
        head = 4 if bare == "size" else 0
        data = tokcodec.encode(picture, max_bytes=192 + head, model=model, bare=bare)
        found = tokcodec.info(data, **given)
        assert found == replace(
            whole, bytes=192 + head, header_bytes=head, bits_per_pixel=found.bits_per_pixel
        )
        assert tokcodec.info(data, False, **given).tokens is None
        assert tokcodec.unpack(data, **given) == tokcodec.unpack(full)
        assert tokcodec.cut(data, 9, **given)[head:] == tokcodec.cut(full, 9)[8:]
        assert tokcodec.cut(data, max_bytes=50, **given) == data[:50]


def test_bare_streams_of_a_tokenizer_tell_and_are_cut_as_whole_ones():
    codec = tokcodec.load("register-small")
    vocabulary = codec.model.tokenizer.vocabulary
    ids = np.arange(40) * 7 % vocabulary
    tokens = tokcodec.Tokens(ids, codec.model.id, (64, 48), False, vocabulary, "crop")
    full = codec.pack(tokens)
    bare = full[tokcodec.info(full).header_bytes :]
    given = {"original_size": tokens.size, "bare": True}
    assert codec.unpack(bare, fit="crop", **given) == tokens
    assert codec.info(bare, **given).tokens == 40
    assert full.endswith(codec.cut(bare, 40, **given))
    assert codec.unpack(codec.cut(bare, 7, **given), fit="crop", **given)[:7] == tokens[:7]
    with pytest.raises(errors.ArgumentError, match="fit"):
        codec.unpack(bare, fit="bend", **given)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"bare": True}, "give original_size"),
        ({"bare": "size", "original_size": (64, 64)}, "leave original_size out"),
        ({"bare": "whole"}, "bare must be"),
        ({"bare": 1}, "bare must be"),
    ],
)
def test_bare_as_it_was_not_written(picture, given, told):
    with pytest.raises(errors.ArgumentError, match=told):
        tokcodec.decode(tokcodec.encode(picture, 9, bare="size"), **given)


def test_what_a_header_tells_is_not_told_again(picture):
    data = tokcodec.encode(picture, max_bytes=100)
    height, width = picture.shape[:2]
    with pytest.raises(errors.ArgumentError, match="leave grey out"):
        tokcodec.decode(data, grey=True)
    with pytest.warns(tokcodec.TokCodecWarning, match="leave original_size out"):
        tokcodec.decode(data, original_size=(width, height), decoder="linear")
    for model in ("pyramid-4", "register-small"):
        data = tokcodec.encode(picture, max_bytes=40, model=model)
        with pytest.warns(tokcodec.TokCodecWarning, match="leave original_size out"):
            tokcodec.cut(data, max_bytes=20, original_size=(width, height))
