"""Bundles: many streams in one file, each as it was given, by number, slice and name."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tokcodec
from tests.stream.bundled import NAMES
from tokcodec import Bundle
from tokcodec.errors import (
    ArgumentError,
    BadMagicError,
    InputError,
    TokCodecError,
    UnknownFieldError,
    UnsupportedVersionError,
)
from tokcodec.registry import DEFAULT
from tokcodec.stream import header as headers


def test_streams_and_names_come_back(file: Path, streams: list[bytes]) -> None:
    bundle = Bundle(file)
    assert len(bundle) == len(streams)
    assert [bundle[i] for i in range(len(bundle))] == streams
    assert list(bundle) == streams
    assert bundle.names == NAMES
    assert [bundle.name(i) for i in range(len(bundle))] == NAMES


def test_negative_indices_count_from_the_end(file: Path, streams: list[bytes]) -> None:
    bundle = Bundle(file)
    assert bundle[-1] == streams[-1]
    assert bundle[-len(streams)] == streams[0]
    assert bundle.name(-1) == NAMES[-1]
    assert bundle[np.int64(2)] == streams[2]


@pytest.mark.parametrize("index", [None, 1.0, b"name"])
def test_what_is_no_index_is_told_as_a_list_tells_it(file: Path, index: object) -> None:
    with pytest.raises(TypeError, match="interpreted as an integer"):
        Bundle(file)[index]  # type: ignore[call-overload]


@pytest.mark.parametrize("index", [7, 8, -8, 10**9, -(10**20)])
def test_an_index_beyond_the_end_is_an_index_error(file: Path, index: int) -> None:
    with pytest.raises(IndexError, match="7 streams"):
        Bundle(file)[index]
    with pytest.raises(IndexError, match="7 streams"):
        Bundle(file).name(index)


@pytest.mark.parametrize("index", [b"chelsea", 1.0, None])
def test_an_index_is_a_number_or_a_name(file: Path, index: object) -> None:
    with pytest.raises(TypeError):
        Bundle(file)[index]  # type: ignore[index]


def test_a_slice_is_a_list(file: Path, streams: list[bytes]) -> None:
    assert Bundle(file)[1:5:2] == streams[1:5:2]
    assert Bundle(file)[-2:] == streams[-2:]


def test_a_bundle_is_a_sequence(file: Path, streams: list[bytes]) -> None:
    bundle = Bundle(file)
    assert streams[2] in bundle
    assert b"something else" not in bundle
    assert list(reversed(bundle)) == streams[::-1]


def test_finding_by_name(file: Path, streams: list[bytes]) -> None:
    bundle = Bundle(file)
    assert bundle[bundle.find("coffee")] == bundle["coffee"] == streams[1]
    for ask in (bundle.find, bundle.__getitem__):
        with pytest.raises(ArgumentError, match="nowhere"):
            ask("nowhere")
    assert "coffee" in bundle
    assert "nowhere" not in bundle
    assert repr(bundle).endswith(f"{file.name}': {len(streams)} streams of {DEFAULT})")
    assert bundle.index(streams[1]) == 1  # as of any sequence


def test_a_bundle_can_be_sent_to_another_process(file: Path, streams: list[bytes]) -> None:
    sent = pickle.dumps(Bundle(file))
    assert len(sent) < 5000  # without the model, which is there already
    assert list(pickle.loads(sent)) == streams


def test_a_bundle_is_found_wherever_the_process_goes(
    file: Path, streams: list[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(file.parent)
    bundle = Bundle(file.name)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert bundle[0] == streams[0]


def test_a_field_of_a_newer_version_concerns_its_own_stream(
    tmp_path: Path, streams: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    head, length = headers.parse(streams[0])
    head = replace(head, extension=((0x85, b"new"),))
    newer = headers.write(head, tokcodec.load().model.sha256)
    with monkeypatch.context() as later:
        later.setattr(headers, "CRITICAL", 0)  # that version knows the field
        Bundle.write(tmp_path / "a.tkb", [streams[0], newer + streams[0][length:]], ["old", "new"])
    bundle = Bundle(tmp_path / "a.tkb")
    assert bundle[0] == streams[0]
    assert bundle.names == ["old", "new"]
    with pytest.raises(UnknownFieldError, match="5"):
        bundle[1]


@pytest.mark.parametrize("how", ["cut", "written anew", "written into"])
def test_a_bundle_that_was_replaced_is_told(how: str, file: Path, streams: list[bytes]) -> None:
    """Its index would lead into other streams."""
    old = Bundle(file)
    assert old[2] == streams[2]
    if how == "cut":
        new = old.cut(budget=2, path=file, overwrite=True)
    elif how == "written anew":
        new = Bundle.write(file, streams[::-1], overwrite=True)
    else:
        file.write_bytes(file.read_bytes() + b"more")
    for ask in (lambda: old[2], lambda: old[len(old) - 1], lambda: list(old)):
        with pytest.raises(InputError, match="anew"):
            ask()
    if how != "written into":
        assert len(new[2]) <= max(map(len, streams))


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.tkb"):
        Bundle(tmp_path / "nowhere.tkb")
    with pytest.raises(InputError):
        Bundle(tmp_path)
    with pytest.raises(InputError):
        Bundle("a\0b")
    with pytest.raises(ArgumentError):
        Bundle("\ud800")


def test_a_stream_is_no_bundle_and_a_bundle_no_stream(file: Path, streams: list[bytes]) -> None:
    single = file.with_name("one.tkc")
    single.write_bytes(streams[0])
    with pytest.raises(BadMagicError):
        Bundle(single)
    with pytest.raises(TokCodecError):
        tokcodec.decode(file.read_bytes())


def test_a_newer_bundle_is_told(file: Path) -> None:
    contents = bytearray(file.read_bytes())
    contents[4] = 2
    file.write_bytes(contents)
    with pytest.raises(UnsupportedVersionError, match="2"):
        Bundle(file)
