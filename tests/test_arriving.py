"""Pictures while a stream arrives: from whatever gives bytes, at once and asynchronously."""

from __future__ import annotations

import asyncio
import io
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from PIL import Image

import tokcodec
from tokcodec.arriving import MAX_BYTES_PER_PIXEL, MIN_READ, progressive
from tokcodec.errors import (
    ArgumentError,
    BadMagicError,
    DamagedHeaderError,
    ImageTooLargeError,
    ReferenceMismatchError,
    TokCodecError,
    TruncatedHeaderError,
)
from tokcodec.psnr import psnr

HEADER = 8  # bytes


@pytest.fixture(scope="module")
def stream(astronaut: np.ndarray) -> bytes:
    return tokcodec.encode(astronaut, max_bytes=600)


def pieces(data: bytes, length: int) -> Iterator[bytes]:
    return (data[i : i + length] for i in range(0, len(data), length))


async def later(data: bytes, length: int) -> AsyncIterator[bytes]:
    for piece in pieces(data, length):
        await asyncio.sleep(0)
        yield piece


def show(data: bytes, **options) -> Image.Image:
    return tokcodec.decode(data, decoder="linear", **options)


@pytest.mark.parametrize("length", [1, 3, 51, 10_000])
def test_pictures_get_better(stream: bytes, astronaut: np.ndarray, length: int):
    shown = list(progressive(pieces(stream, length), decoder="linear"))
    assert shown[-1] == show(stream)
    fidelity = [psnr(np.asarray(image), astronaut) for image in shown]
    assert fidelity == sorted(fidelity)
    assert len(shown) <= 21  # 9 bytes grow to 600 in twenty steps of a quarter, however cut


def test_each_chunk_when_asked(stream: bytes):
    shown = list(progressive(pieces(stream[:108], 10), decoder="linear", growth=1))
    assert shown == [show(stream[: min(i, 108)]) for i in range(10, 118, 10)]


def test_growth_may_be_numpys(stream: bytes):
    both = (progressive([stream], decoder="linear", growth=g) for g in (1.5, np.float32(1.5)))
    first, second = map(list, both)
    assert first == second


def test_the_first_comes_with_the_header(stream: bytes):
    read = []

    def source() -> Iterator[bytes]:
        for i in range(len(stream)):
            read.append(i)
            yield stream[i : i + 1]

    assert next(progressive(source(), decoder="linear")) == show(stream[: HEADER + 1])
    assert len(read) == HEADER + 1


def test_a_header_alone_is_shown_at_the_end(stream: bytes):
    assert list(progressive([stream[:HEADER]], decoder="linear")) == [show(stream[:HEADER])]


def test_files_sockets_and_queues(stream: bytes):
    assert list(progressive(io.BytesIO(stream), decoder="linear"))[-1] == show(stream)
    here, there = socket.socketpair()

    def send() -> None:
        with there:
            for piece in pieces(stream, 70):
                there.sendall(piece)

    sender = threading.Thread(target=send)
    sender.start()
    with here:
        shown = list(progressive(iter(lambda: here.recv(64), b""), decoder="linear"))
    sender.join()
    assert shown[-1] == show(stream)
    chunks = [bytearray(stream[:100]), b"", memoryview(stream[100:])]
    assert list(progressive(chunks, decoder="linear"))[-1] == show(stream)


def test_asynchronously(stream: bytes):
    async def gather() -> list[Image.Image]:
        return [image async for image in progressive(later(stream, 51), decoder="linear")]

    assert asyncio.run(gather()) == list(progressive(pieces(stream, 51), decoder="linear"))


def test_onto_a_reference(stream: bytes, astronaut: np.ndarray):
    change = tokcodec.encode(astronaut[:, ::-1] // 2 + astronaut // 2, 300, reference=stream)
    assert tokcodec.info(change).reference

    async def gather(**options) -> list[Image.Image]:
        chunks = later(change, 51)
        return [image async for image in progressive(chunks, decoder="linear", **options)]

    shown = list(progressive(pieces(change, 51), decoder="linear", reference=stream))
    assert shown[-1] == show(change, reference=stream)
    assert asyncio.run(gather(reference=stream)) == shown
    for wrong, message in (({}, "missing"), ({"reference": stream[:-1]}, "another")):
        with pytest.raises(ReferenceMismatchError, match=message):
            next(progressive(pieces(change, 51), decoder="linear", **wrong))
        with pytest.raises(ReferenceMismatchError, match=message):
            asyncio.run(gather(**wrong))


def test_options_reach_the_decoder(stream: bytes):
    shown = list(progressive([stream], size=(24, 24), decoder="linear"))
    assert shown == [show(stream, size=(24, 24))]


@pytest.mark.parametrize(
    ("chunks", "error"),
    [
        ([], TruncatedHeaderError),
        ([b"\xb7"], TruncatedHeaderError),
        ([b"\xb7T", b" \x01"], TruncatedHeaderError),
        ([b"\xff\xd8\xff\xe0"], BadMagicError),
        (["text"], ArgumentError),
        ([7], ArgumentError),
    ],
)
def test_no_stream(chunks: list, error: type[TokCodecError]):
    with pytest.raises(error):
        list(progressive(chunks, decoder="linear"))
    if error is not ArgumentError:

        async def source() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        async def first() -> None:
            async for _ in progressive(source(), decoder="linear"):
                pass

        with pytest.raises(error):
            asyncio.run(first())


def test_a_bad_header_is_told_before_more_is_read(stream: bytes):
    damaged = bytes(stream[:7]) + bytes([stream[7] ^ 1])

    def source() -> Iterator[bytes]:
        yield damaged
        raise AssertionError("read on")

    with pytest.raises(DamagedHeaderError):
        next(progressive(source(), decoder="linear"))


def test_too_large(stream: bytes):
    with pytest.raises(ImageTooLargeError):
        next(progressive([stream], decoder="linear", max_pixels=1000))

    def source() -> Iterator[bytes]:
        yield stream[:HEADER]
        pytest.fail("nothing more is wanted")

    with pytest.raises(ImageTooLargeError):
        next(progressive(source(), decoder="linear", max_pixels=1000))


@pytest.mark.parametrize(
    "arguments",
    [
        {"growth": 0.9},
        {"growth": float("nan")},
        {"decoder": "none such"},
        {"realism": 2},
        {"size": (0, 0)},
        {"max_pixels": "x"},
        {"source": b"whole"},
        {"source": None},
    ],
)
def test_wrong_arguments_are_told_at_once(stream: bytes, arguments: dict):
    with pytest.raises(ArgumentError):
        progressive(arguments.pop("source", [stream]), **arguments)


def test_a_source_that_breaks_off(stream: bytes):
    def source() -> Iterator[bytes]:
        yield stream[:400]
        yield stream[400:450]  # too little growth for a picture
        raise ConnectionResetError("gone")

    shown: list[Image.Image] = []

    def watch() -> None:
        for image in progressive(source(), decoder="linear"):
            shown.append(image)

    with pytest.raises(ConnectionResetError):
        watch()
    assert shown == [show(stream[:400]), show(stream[:450])]

    def nothing() -> Iterator[bytes]:
        yield stream[:3]
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        list(progressive(nothing(), decoder="linear"))


def test_an_endless_source_ends():
    small = tokcodec.encode(np.zeros((4, 4, 3), np.uint8), max_bytes=60)
    read = 0

    def source() -> Iterator[bytes]:
        nonlocal read
        yield small
        while True:
            read += 1000
            yield bytes(1000)

    assert list(progressive(source(), decoder="linear", growth=1e9))[-1].size == (4, 4)
    assert read < 2 * (MIN_READ + MAX_BYTES_PER_PIXEL * 16)
