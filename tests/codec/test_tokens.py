"""Tokens there and back: tokenize, pack, unpack, detokenize."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import tokcodec
from tokcodec import errors


@pytest.mark.parametrize("verb", ["detokenize", "pack"])
def test_what_holds_no_tokens_is_refused(verb):
    for codec in (tokcodec, tokcodec.load("pyramid")):
        with pytest.raises(errors.ArgumentError, match="Tokens are wanted"):
            getattr(codec, verb)([1, 2, 3])


def test_tokens_there_and_back(picture):
    tokens = tokcodec.tokenize(picture, budget=256)
    assert len(tokens) == 256
    assert tokens.size == picture.shape[1::-1]
    assert tokens.vocabulary == 3**10
    data = tokcodec.encode(picture, psnr=30)
    assert tokcodec.unpack(data)[:256] == tokens[: len(tokcodec.unpack(data))]
    for n in (*range(1, 40), len(tokens)):
        assert tokcodec.unpack(tokcodec.pack(tokens[:n])) == tokens[:n]
    assert tokcodec.pack(tokens[:0]) == tokcodec.encode(picture, budget=0)


def test_detokenize_draws_what_decode_draws(picture):
    tokens = tokcodec.tokenize(picture)
    full = tokcodec.encode(picture, budget=10**6)
    assert tokens == tokcodec.unpack(full)
    assert tokcodec.pack(tokens) == full
    assert tokcodec.detokenize(tokens).tobytes() == tokcodec.decode(full).tobytes()


def test_detokenize_draws_no_larger_picture_than_decode(picture):
    tokens = tokcodec.tokenize(picture, budget=2)
    huge = replace(tokens, size=(65_536, 65_536))
    for draw in (tokcodec.detokenize, lambda t: tokcodec.decode(tokcodec.pack(t))):
        with pytest.raises(errors.ImageTooLargeError):
            draw(huge)
    with pytest.raises(errors.ImageTooLargeError, match="1000"):
        tokcodec.detokenize(tokens, max_pixels=1000)
    assert tokcodec.detokenize(tokens, max_pixels=None).size == tokens.size


def test_the_last_token_has_nothing_beyond_the_picture():
    tokens = tokcodec.tokenize(np.zeros((4, 4, 3), np.uint8))
    wrong, longer = tokens.ids.copy(), np.append(tokens.ids, 0)
    wrong[-1] = 0
    with pytest.raises(errors.TokensError, match="beyond the end"):
        tokcodec.pack(replace(tokens, ids=wrong))
    with pytest.raises(errors.TokensError, match="more than a picture"):
        tokcodec.pack(replace(tokens, ids=longer))
