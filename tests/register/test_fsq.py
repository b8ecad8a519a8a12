"""Rounding to tokens: every id has digits of its own, and is what its values round to."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from tokcodec.errors import TokensError  # noqa: E402
from tokcodec.register.fsq import FSQ  # noqa: E402

LEVELS = (8, 8, 8, 5, 5, 5)


def test_every_id_has_digits_of_its_own() -> None:
    fsq = FSQ(LEVELS)
    assert fsq.vocabulary == 64000
    ids = torch.arange(64000)
    values = fsq.values(ids)
    assert values.min() == -1
    assert values.max() == 1
    middle = torch.tensor([4, 4, 4, 2, 2, 2])
    digits = (values * middle).round().long() + middle
    assert torch.equal(fsq.ids(digits), ids)
    assert digits[1].tolist() == [1, 0, 0, 0, 0, 0]  # the first digit varies fastest


@pytest.mark.parametrize("levels", [LEVELS, (3,), (2, 4), (7, 16)])
def test_all_digits_can_be_reached_and_no_others(levels: tuple[int, ...]) -> None:
    fsq = FSQ(levels)
    line = torch.linspace(-20, 20, 20_001)[:, None].expand(-1, len(levels))
    digits = fsq.digits(line)
    for column, level in zip(digits.T, levels, strict=True):
        assert column.unique().tolist() == list(range(level))
        assert (column.diff() >= 0).all()


def test_zero_stands_in_the_middle() -> None:
    fsq = FSQ(LEVELS)
    assert fsq.digits(torch.zeros(6)).tolist() == [4, 4, 4, 2, 2, 2]
    assert not fsq.values(fsq.ids(fsq.digits(torch.zeros(6)))).any()


@pytest.mark.parametrize("wrong", [-1, 64000])
def test_ids_outside_the_vocabulary(wrong: int) -> None:
    with pytest.raises(TokensError, match=r"0\.\.63999"):
        FSQ(LEVELS).values(torch.tensor([3, wrong]))
