"""A stream to the form that travels, four bytes shorter, and back."""

from __future__ import annotations

from tokcodec import registry
from tokcodec.errors import StreamError
from tokcodec.stream import header as headers
from tokcodec.stream.header import MAGIC, Header

CODE = 1  # the model of short streams
LENGTH = 4  # bytes of flags and size


def shorten(data: bytes) -> bytes:
    """A stream with flags and size alone for a header, if model and flags allow it; else itself.

    Raises:
        StreamError: `data` is no stream.
    """
    header, length = headers.parse(data)
    usual = Header(header.model, header.width, header.height, header.grey)
    model = registry.model_for(header.model, header.hash)
    if header.model != CODE or header.wide or headers.write(usual, model.sha256) != data[:length]:
        return data
    return headers.write_bare(usual) + data[length:]


def lengthen(short: bytes) -> bytes:
    """A prefix of what `shorten` gave to the prefix of the stream: empty until the header is
    there. What is damaged comes back as it is: it is no stream.
    """
    if short[:1] == MAGIC[:1]:
        return short
    if len(short) < LENGTH:
        return b""
    try:
        header, length = headers.parse(short, bare=True)
        if header.extension:  # `shorten` leaves those whole: without it this were another picture
            return short
        whole = Header(CODE, header.width, header.height, header.grey)
        model = registry.model_for(whole.model, whole.hash)
        return headers.write(whole, model.sha256) + short[length:]
    except StreamError:
        return short
