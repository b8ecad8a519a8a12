"""A picture's id and its stream to one message, and back (docs/FORMAT.md, "Messages").

For transports that carry messages whole and in one piece. The id says which picture it is, so that
one that is delivered twice is stored once.
"""

from __future__ import annotations

import hashlib

from tokcodec import registry
from tokcodec.errors import StreamError
from tokcodec.stream import header as headers

ID = 8  # bytes


def picture_id(stream: bytes, *about: str) -> bytes:
    """An id that is the same whenever the same picture is sent the same way, and else another: the
    first 8 bytes of SHA-256.

    Args:
        stream: what is sent.
        about: what tells apart pictures that look alike: the sender, the file's name and time.
    """
    digest = hashlib.sha256()
    for part in (*(text.encode("utf-8", "surrogateescape") for text in about), stream):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()[:ID]


def write(identity: bytes, stream: bytes) -> bytes:
    """The message: eight bytes of id, then the stream."""
    return identity + stream


def read(message: bytes) -> tuple[bytes, bytes]:
    """Id and stream; raises as `taken_apart` and `check`."""
    identity, stream = taken_apart(message)
    check(stream)
    return identity, stream


def taken_apart(message: bytes) -> tuple[bytes, bytes]:
    """Id and what follows; StreamError if it is too short for that."""
    if len(message) < ID:
        raise StreamError(f"a message has at least {ID} bytes, not {len(message)}")
    return message[:ID], message[ID:]


def check(stream: bytes) -> None:
    """Look at the header of a stream, and at nothing else.

    Raises:
        StreamError: it begins as no stream does.
        UnknownModelError: its model is not known here, so more cannot be told.
    """
    header, length = headers.parse(stream)
    headers.check(stream[:length], registry.model_for(header.model, header.hash).sha256)
