"""Lists of numbers on the command line."""

from __future__ import annotations

import pytest

from benchmarks.lists import listed, whole_numbers
from tokcodec.errors import ArgumentError


def test_each_once_and_in_order() -> None:
    assert whole_numbers("256,64,64", "bytes") == [64, 256]
    assert whole_numbers("0,9", "efforts", 0) == [0, 9]
    assert whole_numbers("all,1", "threads", all=4) == [1, 4]
    assert whole_numbers(listed((32, 64)), "bytes") == [32, 64]


@pytest.mark.parametrize("text", ["", "a", "8", "32,", "32,-5", "1e3", "64;128"])
def test_what_is_none_is_told_with_its_option(text: str) -> None:
    with pytest.raises(ArgumentError, match="--bytes takes whole numbers from 9"):
        whole_numbers(text, "bytes", 9)
