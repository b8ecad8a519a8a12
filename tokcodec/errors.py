"""Every way tokcodec can fail, one line each; all are `TokCodecError`. And how it warns."""

from __future__ import annotations

import sys
import warnings

_PACKAGE = __name__.partition(".")[0]


class TokCodecError(Exception):
    """Anything that tokcodec refuses to do, with a message that says what to do about it."""


class InputError(TokCodecError):
    """The picture or array handed in cannot be used: wrong shape, type, values or an unreadable
    file.
    """


class ArgumentError(TokCodecError, ValueError):
    """An argument has no meaning here: a negative budget, an unknown decoder, a strange size."""


class ImageTooLargeError(TokCodecError):
    """The picture, or the picture that a header announces, has more pixels than `max_pixels`
    allows.
    """


class OutputError(TokCodecError):
    """A result could not be written; nothing half-written is left behind."""


class OutputExistsError(OutputError):
    """The output file is there already and overwriting was not asked for."""


class LinkError(TokCodecError):
    """The other end of a link cannot be reached, or refuses; nothing is lost that was not sent."""


class StreamError(TokCodecError):
    """Bytes that are no tokcodec stream."""


class TruncatedHeaderError(StreamError):
    """The bytes end before the header does."""


class BadMagicError(StreamError):
    """The bytes do not start as a tokcodec stream (or bundle) starts."""


class UnsupportedVersionError(StreamError):
    """The stream was written in a newer version of the format."""


class DamagedHeaderError(StreamError):
    """The header's checksum does not fit: damaged in transit, or written by another model of the
    same code. Code strings have no checksum.
    """


class UnknownFieldError(StreamError):
    """The header holds an extension field that must be understood to decode the picture, and is
    not.
    """


class ReferenceMismatchError(StreamError):
    """A picture's reference is missing, or another one than it was written with."""


class DamagedBundleError(StreamError):
    """A bundle's index or directory does not hold together."""


class UnknownModelError(TokCodecError):
    """No model of that name, code or hash is known here."""


class ModelMismatchError(TokCodecError):
    """Tokens or a stream belong to another model than the one in use."""


class DamagedModelError(TokCodecError):
    """A model file is not what its contents say it should be."""


class TokensError(TokCodecError):
    """Token ids outside the vocabulary, or more of them than the picture has."""


class TokCodecWarning(UserWarning):
    """Something was done, but not all that was asked for; the message says what."""


def warn(message: str) -> None:
    """Give a `TokCodecWarning` that names the line which called tokcodec, however far down here."""
    frame, level = sys._getframe(1), 2  # 1 is this function
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, TokCodecWarning, stacklevel=level)


def first_line(error: BaseException) -> str:
    """What another package's error says, in a line that fits into a message."""
    return (str(error).splitlines() or [type(error).__name__])[0]
