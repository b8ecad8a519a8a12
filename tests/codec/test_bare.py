"""Streams without a header, and what a header tells already."""

from __future__ import annotations

import pytest

import tokcodec
from tokcodec import errors


def test_bare_streams(picture):
    full = tokcodec.encode(picture, max_bytes=200)
    size, grey = picture.shape[1::-1], tokcodec.info(full).grey
    bare = tokcodec.encode(picture, max_bytes=192, bare=True)
    assert bare == full[8:]
    drawn = tokcodec.decode(bare, model="pyramid", original_size=size, grey=grey)
    assert drawn.tobytes() == tokcodec.decode(full).tobytes()
    sized = tokcodec.encode(picture, max_bytes=196, bare="size")
    assert sized[4:] == bare
    assert tokcodec.decode(sized, bare="size").tobytes() == drawn.tobytes()
    mirrored = tokcodec.decode(bare, bare=True, original_size=size, grey=grey)
    assert mirrored.tobytes() == drawn.tobytes()
    assert tokcodec.decode(b"", original_size=size).size == size
    many = tokcodec.load().decode_batch([bare, bare], original_size=size, grey=grey)
    assert [p.tobytes() for p in many] == [drawn.tobytes()] * 2


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
