"""TiTok and One-D-Piece draw from 1 to `length` tokens of their vocabulary, and nothing else."""

from __future__ import annotations

import pytest
import torch

from tokcodec.errors import ArgumentError, TokensError


@pytest.fixture(params=["titok", "piece"])
def tokenizer(request: pytest.FixtureRequest):
    """Of 16 tokens, of one of 100 or of 64 values."""
    return request.getfixturevalue(request.param).model.tokenizer


@pytest.mark.parametrize("ids", [[[100]], [[0, 10**6]], [[-1]], [[]], [[0] * 17], [0], [[[0]]]])
def test_tokens_that_are_none(tokenizer, ids: list) -> None:
    with pytest.raises(TokensError, match="token"):
        tokenizer.pixels(torch.tensor(ids, dtype=torch.int64))


def test_the_last_of_the_vocabulary_is_drawn(tokenizer) -> None:
    for count in (1, 16):
        ids = torch.full((2, count), tokenizer.vocabulary - 1)
        assert tokenizer.pixels(ids).shape == (2, 3, 64, 64)


def test_there_are_no_options(tokenizer) -> None:
    with pytest.raises(ArgumentError, match="no option steps"):
        tokenizer.pixels(torch.zeros(1, 1, dtype=torch.int64), steps=3)
