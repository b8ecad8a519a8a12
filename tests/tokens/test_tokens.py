"""Digits, ids and the Tokens list."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcodec.errors import ModelMismatchError, TokensError
from tokcodec.tokens.tokens import Tokens, to_digits, to_ids

import tokcodec  # isort: skip


@given(st.lists(st.sampled_from([-1, 0, 1]), max_size=60))
def test_ids_are_ten_digits_first_digit_highest(digits):
    ids = to_ids(np.array(digits, np.int8))
    padded = digits + [0] * (-len(digits) % 10)
    expected = [
        sum((d + 1) * 3 ** (9 - i) for i, d in enumerate(padded[k : k + 10]))
        for k in range(0, len(padded), 10)
    ]
    assert ids.tolist() == expected
    assert to_digits(ids).tolist() == padded


def tokens(ids) -> Tokens:
    return Tokens(np.array(ids), "0" * 64, (10, 10))


def test_only_prefixes_are_pictures():
    t = tokens([5, 6, 7, 8])
    assert t[:2] == tokens([5, 6])
    assert list(t[:10]) == [5, 6, 7, 8]
    assert (t[1], t[-1], len(t)) == (6, 8, 4)
    for bad in (slice(1, 3), slice(None, None, 2), slice(None, None, -1)):
        with pytest.raises(TokensError, match="prefix"):
            t[bad]


@pytest.mark.parametrize("ids", [[-1], [3**10], [[1, 2]], [0.5]])
def test_ids_outside_the_vocabulary(ids):
    with pytest.raises(TokensError):
        tokens(ids)


def test_a_size_is_a_pair_and_a_vocabulary_a_number():
    pair, listed = (Tokens(np.arange(3), "0" * 64, size) for size in ((4, 3), [4, 3]))
    assert pair == listed
    assert hash(pair) == hash(listed)
    for size in (5, (1, 2, 3), "12x3"):
        with pytest.raises(TokensError, match="size"):
            Tokens(np.arange(3), "0" * 64, size)
    with pytest.raises(TokensError, match="vocabulary"):
        Tokens(np.arange(3), "0" * 64, (4, 3), vocabulary="a")


def test_too_many_tokens_and_tokens_of_another_model():
    codec = tokcodec.load()
    one = Tokens(np.full(5, 12345), codec.model.id, (1, 1))
    with pytest.raises(TokensError, match="more"):
        codec.pack(one)
    with pytest.raises(TokensError, match="more"):
        codec.detokenize(one)
    with pytest.raises(TokensError, match="more"):
        codec.detokenize(Tokens(np.full(5, 29524), codec.model.id, (1, 1)))  # nothing but zeros
    wide = Tokens([3**10], codec.model.id, (99, 99), vocabulary=3**10 + 1)
    for verb in (codec.pack, codec.detokenize):
        with pytest.raises(TokensError, match=r"0\.\.59048"):
            verb(wide)
    with pytest.raises(ModelMismatchError, match="not loaded"):
        tokcodec.pack(tokens([1]))
    with pytest.raises(TokensError, match="whole numbers"):
        Tokens([[1], [1, 2]], codec.model.id, (9, 9))


@pytest.mark.parametrize("model", ["pyramid", "0" * 63, "G" * 64, b"0" * 64, None])
def test_a_model_is_named_by_its_identity_alone(model):
    with pytest.raises(TokensError, match=r"codec\.model\.id.*, not "):
        Tokens([1], model, (9, 9))
