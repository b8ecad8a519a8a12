"""Headers that belong to a model: written, read back, refused."""

from __future__ import annotations

import pytest

import tokcodec
from tokcodec import errors
from tokcodec.registry import DEFAULT, shipped
from tokcodec.stream import framing
from tokcodec.stream.header import FIT

MODEL, SIZE = shipped(DEFAULT), (31, 20)


def test_what_was_written_is_read() -> None:
    head = framing.head(MODEL, SIZE, grey=True, extension=((FIT, b"\1"),))
    frame = framing.parse(MODEL, memoryview(head + b"digits"), None)
    assert (frame.length, frame.payload) == (len(head), b"digits")
    assert (frame.header.width, frame.header.height, frame.header.grey) == (*SIZE, True)
    assert frame.header.extension == ((FIT, b"\1"),)


def test_bare_forms() -> None:
    assert framing.head(MODEL, SIZE, False, bare=True) == b""
    head = framing.head(MODEL, SIZE, False, bare="size", extension=((FIT, b"\1"),))
    frame = framing.parse(MODEL, head + b"digits", None, bare="size")
    assert (len(head), frame.length, frame.payload) == (4, 4, b"digits")
    frame = framing.parse(MODEL, b"digits", None, original_size=SIZE, grey=True)
    assert (frame.header.width, frame.length, frame.payload) == (31, 0, b"digits")
    with pytest.raises(errors.ArgumentError, match="bare"):
        framing.head(MODEL, SIZE, False, bare="short")
    with pytest.raises(errors.ArgumentError, match="original_size"):
        framing.parse(MODEL, b"digits", None, bare=True)


def test_another_model_is_named_before_anything_is_read() -> None:
    head = framing.head(MODEL, (40000, 40000), False)
    with pytest.raises(errors.ModelMismatchError, match="pyramid-2"):
        framing.parse(shipped("pyramid-2"), head, None)
    with pytest.raises(errors.ImageTooLargeError):
        framing.parse(MODEL, head, max_pixels=10**6)


def test_a_cut_keeps_the_header_and_both_limits() -> None:
    frame = framing.parse(MODEL, framing.head(MODEL, SIZE, False) + bytes(range(9)), None)
    assert framing.cut(frame, None, None, len) == frame.data
    assert framing.cut(frame, 3, None, lambda tokens: 2 * tokens) == frame.data[: frame.length + 6]
    assert framing.cut(frame, 3, frame.length + 1, lambda tokens: 6)[-1:] == b"\0"
    with pytest.raises(errors.ArgumentError, match="smaller than the header"):
        framing.cut(frame, None, frame.length - 1, len)


def test_what_is_not_counted_is_left_open() -> None:
    frame = framing.parse(MODEL, framing.head(MODEL, (8, 4), False) + b"1234", None)
    info = framing.info(MODEL, frame, None)
    assert (info.bytes, info.header_bytes, info.bits_per_pixel) == (12, 8, 3.0)
    assert info.tokens is info.digits is info.complete is info.reference is None
    assert framing.info(MODEL, frame, framing.Counted(2, 21, False)) == tokcodec.Info(
        DEFAULT, MODEL.id, 8, 4, False, 12, 8, 3.0, 2, 21, False
    )
