"""Bytes of one stream, as they arrive, to pictures that get better."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any, overload

from PIL import Image

from tokcodec import codec, decoders
from tokcodec.arguments import check_size, is_number
from tokcodec.errors import ArgumentError, StreamError, TruncatedHeaderError
from tokcodec.limits import MAX_PIXELS
from tokcodec.pixels.image import check_pixels
from tokcodec.reference import Given
from tokcodec.stream import header as headers
from tokcodec.stream.header import Header

GROWTH = 1.25
MAX_BYTES_PER_PIXEL = 16  # bytes a pixel: noise, to the last digit, takes less than 5
MIN_READ = 1 << 12  # bytes that are read even of the smallest picture


@overload
def progressive(
    source: Iterable[bytes],
    size: codec.Size | None = ...,
    *,
    decoder: str | Path = ...,
    realism: float | None = ...,
    growth: float = ...,
    max_pixels: int | None = ...,
    reference: Given | None = ...,
) -> Iterator[Image.Image]: ...


@overload
def progressive(
    source: AsyncIterable[bytes],
    size: codec.Size | None = ...,
    *,
    decoder: str | Path = ...,
    realism: float | None = ...,
    growth: float = ...,
    max_pixels: int | None = ...,
    reference: Given | None = ...,
) -> AsyncIterator[Image.Image]: ...


def progressive(
    source: Iterable[bytes] | AsyncIterable[bytes],
    size: codec.Size | None = None,
    *,
    decoder: str | Path = "auto",
    realism: float | None = None,
    growth: float = GROWTH,
    max_pixels: int | None = MAX_PIXELS,
    reference: Given | None = None,
) -> Iterator[Image.Image] | AsyncIterator[Image.Image]:
    """Pictures, each better than the one before, while a stream arrives.

    The first comes as soon as the header and a byte of the picture are here, the last shows
    everything that came, also when the source broke off: its exception follows the picture.

    Args:
        source: chunks of one stream, of any length: what a socket receives, an open binary file, a
            queue. Of an asynchronous iterable the result is an asynchronous iterator, and pictures
            are drawn in a thread. Several pictures in one source are not told apart: bytes after
            the end of a stream change nothing, and no more than 16 a pixel are read.
        size, decoder, realism, max_pixels, reference: as for `Codec.decode`.
        growth: the next picture is drawn when the bytes have grown by this factor (at least 1; 1
            draws after each chunk): at most 22 pictures for a kilobyte, and 10 for each tenfold.

    Raises:
        ArgumentError: an argument has no meaning, or the source gives something else than bytes.
        StreamError, UnknownModelError, ImageTooLargeError: the bytes are no stream that can be
            shown; told as soon as its header is here.
        InputError, DamagedModelError: the file of a decoder cannot be used.
        ReferenceMismatchError: the stream's reference is missing, or was another; told in place of
            the first picture.
        TruncatedHeaderError: the source ended before the header did.
    """
    if not is_number(growth) or not growth >= 1:
        raise ArgumentError(f"growth is at least 1, not {growth!r:.40}")
    # Told now, not when the first bytes are here.
    decoders.find(decoder, realism)
    if size is not None:
        check_size(size)
    check_pixels(1, 1, max_pixels)
    options: dict[str, Any] = {
        "size": size, "decoder": decoder, "realism": realism, "max_pixels": max_pixels,
        "reference": reference,
    }  # fmt: skip
    arrived = _Arrived(growth, options)
    if isinstance(source, AsyncIterable):
        return _drawn_meanwhile(source, arrived)
    if isinstance(source, (bytes, bytearray, memoryview, str)) or not isinstance(source, Iterable):
        raise ArgumentError(
            f"a source gives chunks of bytes one after another; for {type(source).__name__} there "
            "is tokcodec.decode"
        )
    return _drawn(source, arrived)


class _Arrived:
    """The bytes so far, and when to look at them."""

    def __init__(self, growth: float, options: dict[str, Any]) -> None:
        self._growth, self._options = growth, options
        self._data = bytearray()
        self._due = 0.0  # bytes from which on a picture is wanted
        self._most: int | None = None  # bytes worth reading, once the header is here
        self._drawn = 0  # bytes that the latest picture showed

    def add(self, chunk: bytes) -> bool:
        """Take a chunk; whether it is time for a picture."""
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise ArgumentError(f"a source gives bytes, not {type(chunk).__name__}")
        self._data += bytes(chunk)  # a view need not lie in one piece
        if self._most is None:
            found = self._header()
            if found is None:
                return False
            header, length = found
            self._most = MIN_READ + MAX_BYTES_PER_PIXEL * header.width * header.height
            self._due = length + 1.0
        del self._data[self._most :]
        return self._drawn < len(self._data) >= self._due

    @property
    def full(self) -> bool:
        """Whether no stream of this picture goes on."""
        return self._most is not None and len(self._data) >= self._most

    @property
    def behind(self) -> bool:
        """Whether there is something that no picture has shown; raises where nothing can be."""
        if self._most is None:
            headers.parse(bytes(self._data))
        return self._drawn < len(self._data)

    def draw(self) -> Image.Image:
        """A picture of everything so far."""
        self._drawn = len(self._data)
        self._due = self._growth * self._drawn
        data = bytes(self._data)
        return codec.codec_for(data).decode(data, **self._options)

    def _header(self) -> tuple[Header, int] | None:
        """The header and its length, checked; None while it is still on its way."""
        data = bytes(self._data)
        try:
            header, length = headers.parse(data)
        except TruncatedHeaderError:
            return None
        whole = codec.codec_for(data)
        whole.info(data[:length], count=False)
        check_pixels(header.width, header.height, self._options["max_pixels"])
        return header, length


def _drawn(source: Iterable[bytes], arrived: _Arrived) -> Iterator[Image.Image]:
    chunks, broken = iter(source), None
    while not arrived.full:
        try:
            chunk = next(chunks)
        except StopIteration:
            break
        except Exception as e:
            broken = e
            break
        if arrived.add(chunk):
            yield arrived.draw()
    if _last(arrived, broken):
        yield arrived.draw()
    if broken is not None:
        raise broken


async def _drawn_meanwhile(
    source: AsyncIterable[bytes], arrived: _Arrived
) -> AsyncIterator[Image.Image]:
    import asyncio  # here, as `import tokcodec` is to stay light

    chunks, broken = aiter(source), None
    while not arrived.full:
        try:
            chunk = await anext(chunks)
        except StopAsyncIteration:
            break
        except Exception as e:
            broken = e
            break
        if arrived.add(chunk):
            yield await asyncio.to_thread(arrived.draw)
    if _last(arrived, broken):
        yield await asyncio.to_thread(arrived.draw)
    if broken is not None:
        raise broken


def _last(arrived: _Arrived, broken: Exception | None) -> bool:
    """Whether a last picture is due. A source that broke tells more than the header it left."""
    try:
        return arrived.behind
    except StreamError:
        if broken is not None:
            return False
        raise
