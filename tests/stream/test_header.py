"""Headers: what they hold, and that damage never passes for another header."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

import tokcodec
from tokcodec import registry
from tokcodec.errors import (
    ArgumentError,
    BadMagicError,
    DamagedHeaderError,
    StreamError,
    TokCodecError,
    TruncatedHeaderError,
    UnknownFieldError,
    UnknownModelError,
    UnsupportedVersionError,
)
from tokcodec.model import HASHED
from tokcodec.stream import header as headers
from tokcodec.stream.header import Header

IDENTITY = bytes(range(32))  # stands for the SHA-256 of a model
PLAIN = Header(1, 640, 480)
WIDE = Header(1, 640, 4097, grey=True)
CUSTOM = Header(HASHED, 640, 480, hash=b"\xde\xad\xbe\xef")
EXTENDED = Header(1, 640, 480, extension=((4, b"abc"), (99, b""), (4, b"\0")))
KINDS = pytest.mark.parametrize(
    "header", [PLAIN, WIDE, CUSTOM, EXTENDED], ids=["plain", "wide", "custom", "extended"]
)


def picture(side: int = 40) -> Image.Image:
    image = Image.fromarray(data.rocket())
    image.thumbnail((side, side))
    return image


def crc8_by_table(message: bytes) -> int:
    """CRC-8 (x^8 + x^2 + x + 1) as the remainder of long division, through a table."""
    table = []
    for value in range(256):
        remainder = value << 8
        for shift in range(7, -1, -1):
            if remainder >> (shift + 8) & 1:
                remainder ^= 0x107 << shift
        table.append(remainder)
    crc = 0
    for byte in message:
        crc = table[crc ^ byte]
    return crc


def flipped(message: bytes, bit: int) -> bytes:
    """With one bit changed; bit 0 is the highest of the first byte."""
    found = bytearray(message)
    found[bit // 8] ^= 0x80 >> bit % 8
    return bytes(found)


def of_this_model(**fields) -> bytes:
    """A sound header of the shipped model with whatever fields, for 40 x 27 pixels."""
    code, _ = registry.code_of(tokcodec.load().model)
    return headers.write(Header(code, 40, 27, **fields), tokcodec.load().model.sha256)


# ---- the CRC


def test_crc8_check_value() -> None:
    assert headers.crc8(b"123456789") == 0xF4
    assert headers.crc8(b"") == 0
    assert crc8_by_table(b"123456789") == 0xF4


@given(st.binary(max_size=300))
def test_crc8_is_that_of_long_division(message: bytes) -> None:
    assert headers.crc8(message) == crc8_by_table(message)


# ---- layout and size


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (PLAIN, 8),
        (Header(1, 4096, 4096), 8),
        (Header(1, 4097, 1), 9),
        (Header(1, 1, 65_536), 9),
        (CUSTOM, 12),
        (Header(HASHED, 5000, 1, hash=b"abcd"), 13),
        (EXTENDED, 8 + 1 + 5 + 2 + 3),
    ],
)
def test_sizes_in_bytes(header: Header, size: int) -> None:
    written = headers.write(header, IDENTITY)
    assert len(written) == size
    assert headers.parse(written + b"payload") == (header, size)


def test_the_bytes_of_a_header() -> None:
    """As the format says: magic, flags, model, width - 1 and height - 1 in 12 bits each, CRC."""
    body = bytes.fromhex("b754 20 01 27f1df")
    assert headers.write(PLAIN, IDENTITY) == body + bytes((crc8_by_table(body + IDENTITY),))
    body = bytes.fromhex("b754 38 01 027f 1000")
    assert headers.write(WIDE, IDENTITY) == body + bytes((crc8_by_table(body + IDENTITY),))
    body = bytes.fromhex("b754 20 ff deadbeef 27f1df")
    assert headers.write(CUSTOM, IDENTITY) == body + bytes((crc8_by_table(body + IDENTITY),))
    body = bytes.fromhex("b754 24 01 27f1df 0a 0403616263 6300 040100")
    assert headers.write(EXTENDED, IDENTITY) == body + bytes((crc8_by_table(body + IDENTITY),))


def test_the_headers_of_real_streams() -> None:
    tall = np.zeros((4097, 3, 3), np.uint8)
    assert tokcodec.info(tokcodec.encode(picture(), 5)).header_bytes == 8
    assert tokcodec.info(tokcodec.encode(tall, 5)).header_bytes == 9
    assert len(tokcodec.encode(picture(), budget=0)) == 8
    assert len(tokcodec.encode(tall, budget=0)) == 9


# ---- round trips

sizes = st.one_of(st.integers(1, 65_536), st.sampled_from([1, 4095, 4096, 4097, 65_535, 65_536]))
fields = st.lists(st.tuples(st.integers(0, 127), st.binary(max_size=40)), max_size=6).map(tuple)


@settings(deadline=None)
@given(
    st.integers(0, 255), sizes, sizes, st.booleans(), st.binary(min_size=4, max_size=4), fields,
    st.binary(max_size=20),
)  # fmt: skip
def test_every_header_comes_back(model, width, height, grey, hash4, extension, payload) -> None:
    header = Header(model, width, height, grey, hash4 if model == HASHED else b"", extension)
    written = headers.write(header, IDENTITY)
    assert headers.parse(written + payload) == (header, len(written))
    headers.check(written, IDENTITY)


@given(st.integers(1, 4096), st.integers(1, 4096), st.booleans())
def test_every_bare_header_comes_back(width: int, height: int, grey: bool) -> None:
    written = headers.write_bare(Header(0, width, height, grey))
    assert len(written) == 4
    assert headers.parse(written + b"x", bare=True) == (Header(0, width, height, grey), 4)


def test_the_bare_form_is_for_small_plain_pictures() -> None:
    for header in (WIDE, EXTENDED):
        with pytest.raises(ArgumentError):
            headers.write_bare(header)


@pytest.mark.parametrize("n", range(4))
def test_a_truncated_bare_header_is_refused(n: int) -> None:
    with pytest.raises(TruncatedHeaderError):
        headers.parse(headers.write_bare(PLAIN)[:n], bare=True)


def test_bare_streams_decode_to_the_same_picture() -> None:
    whole = tokcodec.encode(picture(), 30)
    sized = tokcodec.encode(picture(), 30, bare="size")
    naked = tokcodec.encode(picture(), 30, bare=True)
    assert sized[4:] == naked == whole[8:]
    wanted = tokcodec.decode(whole)
    assert tokcodec.decode(sized, bare="size") == wanted
    assert tokcodec.decode(naked, original_size=wanted.size) == wanted


# ---- damage


@KINDS
def test_every_truncation_is_told(header: Header) -> None:
    written = headers.write(header, IDENTITY)
    for n in range(len(written)):
        with pytest.raises(TruncatedHeaderError):
            headers.parse(written[:n])


def test_every_truncation_of_a_stream_within_its_header_is_told() -> None:
    stream = tokcodec.encode(picture(), 20)
    for use in (tokcodec.decode, tokcodec.info, tokcodec.cut, tokcodec.unpack):
        for n in range(8):
            with pytest.raises(TruncatedHeaderError):
                use(stream[:n])
    assert tokcodec.info(stream[:8]).tokens == 0


def read(message: bytes) -> Header:
    """As a decoder reads it: parse, then check."""
    header, length = headers.parse(message)
    headers.check(message[:length], IDENTITY)
    return header


@KINDS
def test_every_flipped_bit_of_a_header_is_told(header: Header) -> None:
    written = headers.write(header, IDENTITY)
    for bit in range(8 * len(written)):
        with pytest.raises(TokCodecError):
            read(flipped(written, bit))


@KINDS
@pytest.mark.parametrize("flag", [19, 21], ids=["wide", "extended"])
def test_a_flag_that_moves_the_checksum_slips_through_once_in_256(
    header: Header, flag: int
) -> None:
    """These two bits decide where the checksum lies, which then is some byte of the payload."""
    damaged = flipped(headers.write(header, IDENTITY), flag)
    rng, passed = random.Random(flag), 0
    for _ in range(2048):
        try:
            read(damaged + rng.randbytes(300))
        except TokCodecError:
            continue
        passed += 1
    assert passed < 4 * 2048 / 256


def test_every_other_flipped_bit_of_a_stream_is_told() -> None:
    stream = tokcodec.encode(picture(), 20)
    for bit in set(range(64)) - {19, 21}:
        with pytest.raises(TokCodecError):
            tokcodec.decode(flipped(stream, bit))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_header_or_our_own_error(noise: bytes) -> None:
    for message in (noise, headers.MAGIC + noise, headers.write(PLAIN, IDENTITY)[:3] + noise):
        try:
            header, length = headers.parse(message)
        except StreamError:
            continue
        assert 1 <= header.width <= 65_536
        assert 8 <= length <= len(message)


def test_another_model_does_not_fit_the_checksum() -> None:
    with pytest.raises(DamagedHeaderError):
        headers.check(headers.write(PLAIN, IDENTITY), bytes(32))


def test_other_files_are_told_from_streams() -> None:
    for start in (
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"RIFF",
        b"\xb7",
        b"\xb7U",
        b"\0" * 20,
    ):
        wanted = TruncatedHeaderError if start == b"\xb7" else BadMagicError
        with pytest.raises(wanted):
            tokcodec.decode(start)


@pytest.mark.parametrize("thing", ["text", None, 5, [1, 2]])
def test_a_stream_is_bytes(thing: object) -> None:
    for use in (tokcodec.decode, tokcodec.info, tokcodec.cut):
        with pytest.raises(ArgumentError, match="bytes"):
            use(thing)  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [0, 2, 3, 7])
def test_other_versions_are_refused_whatever_follows(version: int) -> None:
    start = headers.MAGIC + bytes((version << 5,))
    for rest in (b"", b"\xff" * 20):
        with pytest.raises(UnsupportedVersionError, match=str(version)):
            headers.parse(start + rest)


@pytest.mark.parametrize("reserved", [1, 2, 3])
def test_reserved_bits_are_refused(reserved: int) -> None:
    written = bytearray(headers.write(PLAIN, IDENTITY))
    written[2] |= reserved
    with pytest.raises(UnsupportedVersionError, match="newer"):
        headers.parse(bytes(written))


@pytest.mark.parametrize("code", [0, 77, 254])
def test_an_unknown_model_is_told(code: int) -> None:
    stream = headers.write(Header(code, 40, 27), IDENTITY) + b"payload"
    for use in (tokcodec.decode, tokcodec.info, tokcodec.cut):
        with pytest.raises(UnknownModelError, match=str(code)):
            use(stream)


def test_an_unknown_hash_is_told() -> None:
    with pytest.raises(UnknownModelError, match="deadbeef"):
        tokcodec.decode(headers.write(CUSTOM, IDENTITY))


# ---- extension


@pytest.mark.parametrize("kind", [0, 1, 4, 99, 127])
def test_a_field_that_may_be_skipped_is_skipped(kind: int) -> None:
    plain = tokcodec.encode(picture(), 30)
    assert of_this_model() == plain[:8]
    stream = of_this_model(extension=((kind, b"whatever"), (kind, b""))) + plain[8:]
    assert tokcodec.decode(stream) == tokcodec.decode(plain)
    found = tokcodec.info(stream)
    assert (found.tokens, found.header_bytes) == (tokcodec.info(plain).tokens, 8 + 1 + 10 + 2)
    assert tokcodec.unpack(stream) == tokcodec.unpack(plain)


def test_cutting_keeps_the_extension() -> None:
    payload = tokcodec.encode(picture(), 60)[8:]
    head = of_this_model(extension=((4, b"whatever"),))
    assert tokcodec.cut(head + payload, max_bytes=len(head) + 7) == head + payload[:7]
    assert tokcodec.cut(head + payload, 20)[len(head) :] == tokcodec.encode(picture(), 20)[8:]


@pytest.mark.parametrize("kind", [128, 131, 255])
def test_a_field_that_must_be_understood_stops_the_decoder(kind: int) -> None:
    stream = of_this_model(extension=((4, b"fine"), (kind, b"?"))) + b"payload"
    for use in (tokcodec.decode, tokcodec.info, tokcodec.cut):
        with pytest.raises(UnknownFieldError, match=str(kind - 128)):
            use(stream)


@pytest.mark.parametrize("body", [b"\4", b"\4\1", b"\4\3ab", b"\4\0\4", b"\4\xffabc"])
def test_an_extension_that_ends_inside_a_field_is_damaged(body: bytes) -> None:
    plain = headers.write(PLAIN, IDENTITY)
    head = plain[:2] + bytes((plain[2] | 0x04,)) + plain[3:7] + bytes((len(body),)) + body
    message = head + bytes((crc8_by_table(head + IDENTITY),))
    with pytest.raises(DamagedHeaderError):
        read(message + bytes(300))


def test_an_extension_without_fields_is_harmless() -> None:
    plain = headers.write(PLAIN, IDENTITY)
    head = plain[:2] + bytes((plain[2] | 0x04,)) + plain[3:7] + b"\0"
    assert read(head + bytes((crc8_by_table(head + IDENTITY),))) == PLAIN
