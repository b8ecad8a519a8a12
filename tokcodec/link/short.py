"""A stream to the form that travels, four bytes shorter, and back."""

from __future__ import annotations

from tokcodec import registry
from tokcodec.errors import StreamError
from tokcodec.stream import header as headers
from tokcodec.stream.header import MAGIC, Header

LENGTH = 4  # bytes of flags and size
# Codes of the models of short streams. The place of one in this list stands in the two bits that
# are reserved in a whole header. Append nothing: they are all in use.
CODES = (1, 2, 4, 5)
PLACE = len(CODES) - 1  # mask of those bits, in the first byte
EXTENDED = 4  # the bit there that says that fields follow, which `shorten` leaves in whole headers


def shorten(data: bytes) -> bytes:
    """A stream with flags and size alone for a header, if model and flags allow it; else itself.

    Raises:
        StreamError: `data` is no stream.
    """
    header, length = headers.parse(data)
    usual = Header(header.model, header.width, header.height, header.grey)
    model = registry.model_for(header.model, header.hash)
    allowed = header.model in CODES and not header.wide
    if not allowed or headers.write(usual, model.sha256) != data[:length]:
        return data
    bare = headers.write_bare(usual)
    return bytes((bare[0] | CODES.index(header.model),)) + bare[1:] + data[length:]


def lengthen(short: bytes) -> bytes:
    """A prefix of what `shorten` gave to the prefix of the stream: empty until the header is
    there. What is damaged comes back as it is: it is no stream.
    """
    if short[:1] == MAGIC[:1]:
        return short
    if len(short) < LENGTH:
        return b""
    if short[0] & EXTENDED:  # without its fields this were another picture
        return short
    try:
        flags = bytes((short[0] & ~PLACE,))
        header, length = headers.parse(flags + short[1:], bare=True)
        whole = Header(CODES[short[0] & PLACE], header.width, header.height, header.grey)
        model = registry.model_for(whole.model, whole.hash)
        return headers.write(whole, model.sha256) + short[length:]
    except StreamError:
        return short
