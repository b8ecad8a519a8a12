"""A picture's id and its stream to one message, and back (docs/FORMAT.md, "Messages").

For transports that carry messages whole and in one piece. The id says which picture it is, so that
one that is delivered twice is stored once.
"""

from __future__ import annotations

import hashlib

from tokcodec import weights
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
    """Id and stream.

    Raises:
        StreamError, UnknownModelError: what follows the id does not begin as a stream of a known
            model begins; nothing else is looked at.
    """
    if len(message) < ID:
        raise StreamError(f"a message has at least {ID} bytes, not {len(message)}")
    identity, stream = message[:ID], message[ID:]
    header, length = headers.parse(stream)
    headers.check(stream[:length], weights.model_for(header).sha256)
    return identity, stream
