"""Splitting: what fits, what is refused, and what the numbers of packets mean."""

from __future__ import annotations

import numpy as np
import pytest

import tokcodec
from tokcodec import link
from tokcodec.errors import (
    ArgumentError,
    ImageTooLargeError,
    InputError,
    ReferenceMismatchError,
    StreamError,
)
from tokcodec.link import packet as packets_of
from tokcodec.link.short import lengthen, shorten
from tokcodec.registry import PYRAMIDS


def gathered(packets: list[bytes]) -> bytes:
    receiver = link.Receiver()
    for packet in packets:
        receiver.add(packet)
    return receiver.data()


def test_packets_are_counted(stream: bytes):
    assert len(link.split(stream, protect="none")) == -(-(len(stream) - 4) // 46)
    assert len(link.split(stream, loss=link.independent(0.5))) == 18
    for count in (1, 2, 9, 30):
        packets = link.split(stream, packets=count, loss=link.independent(0.2))
        assert len(packets) <= count
        assert {packets_of.read(p, "crc8").count for p in packets} == {len(packets)}


def test_plain_packets_may_be_odd(photograph):
    data = tokcodec.encode(photograph("coffee", 128, 96), max_bytes=4 + 257 * 4)
    for protect, loss in (("none", link.independent(0.2)), ("priority", link.independent(0))):
        packets = link.split(data, 9, protect=protect, loss=loss)
        assert len(packets) == 257
        assert gathered(packets) == data


def test_datagrams_are_no_longer_than_they_can_be(stream: bytes):
    data = stream + bytes(100_000)  # what follows a code string is of no account
    packets = link.split(data, 10**6, protect="none")
    assert [len(p) for p in packets] == [65535, len(data) - 4 + 10 - 65535]
    assert gathered(packets) == data


def test_more_loss_more_protection(stream: bytes):
    sizes = [
        len(gathered(link.split(stream, packets=8, loss=link.independent(rate))))
        for rate in (0, 0.1, 0.3, 0.6)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 2 * sizes[-1]


def test_a_loss_may_be_a_number(stream: bytes):
    assert link.split(stream, loss=0.3) == link.split(stream, loss=link.independent(0.3))


def test_the_original_may_help(stream: bytes, astronaut: np.ndarray):
    packets = link.split(stream, packets=8, loss=link.bursty(0.2), original=astronaut)
    assert stream.startswith(gathered(packets))


def test_a_picture_with_a_reference(stream: bytes, change: bytes, visited: np.ndarray):
    for original in (None, visited):
        packets = link.split(change, packets=10, reference=stream, original=original)
        receiver = link.Receiver()
        for packet in packets[2:]:
            receiver.add(packet)
        assert change.startswith(receiver.data())
        shown = receiver.image(decoder="linear", reference=stream)
        assert shown == tokcodec.decode(receiver.data(), decoder="linear", reference=stream)
        with pytest.raises(ReferenceMismatchError, match="missing"):
            receiver.image(decoder="linear")
    with pytest.raises(ReferenceMismatchError, match="missing"):
        link.split(change)
    with pytest.raises(ReferenceMismatchError, match="another"):
        link.split(change, reference=stream[:-1])
    assert gathered(link.split(change, protect="none")) == change  # nothing to weigh


def test_protection_reads_pictures_of_max_pixels(stream: bytes):
    with pytest.raises(ImageTooLargeError, match="96 x 80"):
        link.split(stream, max_pixels=7679)
    assert gathered(link.split(stream, protect="none", max_pixels=7679)) == stream
    for enough in (7680, None):
        assert link.split(stream, max_pixels=enough) == link.split(stream)


def test_short_headers(stream: bytes, photograph):
    assert shorten(stream)[4:] == stream[8:]
    assert lengthen(shorten(stream)) == stream
    for n in range(len(stream)):
        assert lengthen(shorten(stream)[:n]) == (stream[: n + 4] if n >= 4 else b"")
    wide = tokcodec.encode(photograph("coffee", 4100, 3), max_bytes=40)
    assert shorten(wide) == wide
    assert lengthen(wide) == wide
    extended = bytes([shorten(stream)[0] | 4]) + shorten(stream)[1:4] + b"\2\1\0" + stream[8:]
    assert lengthen(extended) == extended  # no form that travels: not a picture without its field
    nothing = extended[:4] + b"\0" + stream[8:]
    assert lengthen(nothing) == nothing
    assert gathered(link.split(wide, packets=3)) == wide[: len(gathered(link.split(wide)))]


@pytest.mark.parametrize("model", list(PYRAMIDS))
def test_a_short_header_tells_the_model(model: str, photograph):
    data = tokcodec.encode(photograph("coffee", 64, 48), max_bytes=60, model=model)
    short = shorten(data)
    assert short[4:] == data[8:]
    assert short[0] & 3 == sorted(PYRAMIDS.values()).index(PYRAMIDS[model])
    assert lengthen(short) == data
    assert gathered(link.split(data, mtu=30, protect="none")) == data


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mtu": 5}, "too small"),
        ({"packets": 0}, "1 to 510"),
        ({"packets": 2.5}, "whole number"),
        ({"packets": "3"}, "whole number"),
        ({"packets": 257}, "1 to 510"),
        ({"packets": 512}, "1 to 510"),
        ({"mtu": 6, "loss": link.independent(0.5)}, "larger packets"),
        ({"protect": "all"}, "protect"),
        ({"protect": []}, "protect"),
        ({"check": "md5"}, "check"),
        ({"check": []}, "check"),
        ({"mtu": 51.0}, "whole number of bytes"),
        ({"mtu": "51"}, "whole number of bytes"),
        ({"picture": 1.5}, "whole number"),
        ({"loss": "much"}, "loss rate"),
        ({"loss": 1.0}, "loss rate"),
        ({"loss": None}, "loss rate"),
        ({"loss": 1j}, "loss rate"),
        ({"loss": link.Channel(0.5, 0.5, 1.0, 1.0)}, "loses every packet"),
        ({"max_pixels": "many"}, "max_pixels"),
        ({"original": np.zeros((3, 3, 3), np.uint8)}, "original"),
    ],
)
def test_what_is_refused(stream: bytes, options: dict, message: str):
    with pytest.raises(ArgumentError, match=message):
        link.split(stream, **options)
    with pytest.raises(StreamError):
        link.split(b"GIF89a")
    with pytest.raises(InputError):
        link.split(stream, original="no such file.png")
