"""A bundle's streams, cut each."""

from __future__ import annotations

from pathlib import Path

import pytest

import tokcodec
from tests.stream.bundled import NAMES
from tokcodec import Bundle
from tokcodec.errors import (
    ArgumentError,
    ImageTooLargeError,
    OutputExistsError,
)


@pytest.mark.parametrize(
    "limits",
    [{"budget": 15}, {"max_bytes": 21}, {"budget": 30, "max_bytes": 25}, {"budget": 0}, {}],
)
def test_cut_cuts_every_stream(file: Path, streams: list[bytes], limits: dict[str, int]) -> None:
    found = Bundle(file).cut(**limits, path=file.with_name("cut.tkb"))
    assert list(found) == [tokcodec.cut(s, **limits) for s in streams]
    assert found.names == NAMES
    assert list(Bundle(file)) == streams


def test_a_cut_that_is_too_tight_leaves_nothing_behind(file: Path) -> None:
    with pytest.raises(ArgumentError):
        Bundle(file).cut(max_bytes=8, path=file.with_name("cut.tkb"))  # one header is longer
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_a_cut_of_large_pictures_is_refused_unless_told(file: Path) -> None:
    with pytest.raises(ImageTooLargeError):
        Bundle(file).cut(budget=3, path=file.with_name("small.tkb"), max_pixels=10)
    small = Bundle(file).cut(max_bytes=20, path=file.with_name("small.tkb"), max_pixels=10)
    assert max(map(len, small)) == 20


def test_a_bundle_can_be_cut_onto_itself(file: Path, streams: list[bytes]) -> None:
    with pytest.raises(OutputExistsError):
        Bundle(file).cut(15, path=file)
    Bundle(file).cut(15, path=file, overwrite=True)
    assert list(Bundle(file)) == [tokcodec.cut(s, 15) for s in streams]
