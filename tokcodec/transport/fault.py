"""Whether an error is one picture's own fault, or would meet them all."""

from __future__ import annotations

from tokcodec.errors import (
    ImageTooLargeError,
    InputError,
    ReferenceMismatchError,
    StreamError,
    TokCodecError,
    TokensError,
)

_PICTURES = (InputError, ImageTooLargeError, StreamError, TokensError)


def of_picture(e: TokCodecError) -> bool:
    """Whether the picture itself cannot be used, now or ever. Else an option is wrong, or a model,
    a reference, a package or room on the disk is missing: then no picture counts as done.
    """
    return isinstance(e, _PICTURES) and not isinstance(e, ReferenceMismatchError)
