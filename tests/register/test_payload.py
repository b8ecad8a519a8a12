"""Ids to code strings and any prefix back, for codebooks and for digits of several sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokcodec.register import payload
from tokcodec.register.payload import Code
from tokcodec.register.prior.interface import Context
from tokcodec.register.prior.recalled import Recalled
from tokcodec.register.prior.uniform import Uniform

TITOK, LATER, FSQ = (4096,), (8192,), (8, 8, 8, 5, 5, 5)


def code(levels: tuple[int, ...], length: int = 256) -> Code:
    return Code(levels, length, Uniform(levels))


@pytest.mark.parametrize("levels", [TITOK, LATER, FSQ, (2,), (59049,)])
def test_all_tokens_come_back(levels: tuple[int, ...]) -> None:
    vocabulary = int(np.prod(levels))
    ids = np.random.default_rng(1).integers(0, vocabulary, 256).tolist()
    written = payload.write(code(levels), ids)
    assert code(levels).ids(payload.read(code(levels), written)).tolist() == ids
    assert len(written) <= 256 * np.log2(vocabulary) / 8 + 1.02


def test_digits_are_counted_from_the_smallest() -> None:
    assert code(FSQ).digits([1, 8, 63_999]) == [
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        7,
        7,
        7,
        4,
        4,
        4,
    ]
    assert code(FSQ).ids([1, 0, 0, 0, 0, 0, 7, 7]).tolist() == [1]


@pytest.mark.parametrize("levels", [TITOK, FSQ])
@pytest.mark.parametrize("values", ["first", "last", "any"])
def test_every_prefix_determines_the_first_tokens(levels: tuple[int, ...], values: str) -> None:
    vocabulary = int(np.prod(levels))
    ids = {
        "first": [0] * 20, "last": [vocabulary - 1] * 20,
        "any": np.random.default_rng(2).integers(0, vocabulary, 20).tolist(),
    }[values]  # fmt: skip
    whole = payload.write(code(levels, 20), ids)
    digits = code(levels).digits(ids)
    for n in range(len(whole) + 1):
        found = payload.read(code(levels, 20), whole[:n])
        assert found == digits[: len(found)]
    assert len(found) == len(digits)


@given(st.binary(max_size=60))
def test_any_bytes_give_tokens_of_the_vocabulary(data: bytes) -> None:
    ids = code(FSQ, 12).ids(payload.read(code(FSQ, 12), data))
    assert len(ids) <= 12
    assert all(0 <= v < 64_000 for v in ids)


@given(st.lists(st.integers(0, 4095), max_size=16), st.integers(0, 18))
def test_the_shortest_prefix(ids: list[int], tokens: int) -> None:
    made = code(TITOK, 16)
    whole, cut = payload.write(made, ids), payload.write(made, ids, min(tokens, len(ids)))
    assert whole.startswith(cut)
    assert payload.shortest(made, whole, tokens) == (len(cut) if tokens <= len(ids) else len(whole))
    if cut and tokens < len(ids):
        assert len(payload.read(made, cut)) >= tokens > len(payload.read(made, cut[:-1]))


class Learned:
    """A prior that has seen which value is likely after which."""

    id = "a test's"

    def context(self) -> Context:
        return Recalled(self.weights)

    def weights(self, digits) -> np.ndarray:
        row = np.ones(16)
        row[(digits[-1] + 1) % 16 if digits else 0] = 2**24 - 15
        return row - 1


def test_a_prior_makes_what_it_expects_cheap() -> None:
    made = Code((16,), 100, Learned())
    expected = [i % 16 for i in range(100)]
    assert len(payload.write(made, expected)) == 1
    assert payload.read(made, payload.write(made, expected)) == expected
    surprise = [*expected[:50], *expected[:50]]
    assert payload.read(made, payload.write(made, surprise)) == surprise
    assert 4 <= len(payload.write(made, surprise)) <= 8
