"""Tokens of a register tokenizer to a stream, any prefix of it to the tokens it determines."""

from __future__ import annotations

from dataclasses import replace

from tokcodec import errors
from tokcodec.arguments import Size, check_tokens
from tokcodec.errors import TokensError, UnknownFieldError
from tokcodec.register import payload, square
from tokcodec.register.model import RegisterModel
from tokcodec.stream import framing
from tokcodec.stream.framing import Frame
from tokcodec.stream.header import FIT
from tokcodec.tokens.tokens import Tokens

NO_REFERENCE = "knows no pictures with a reference"


def write(
    model: RegisterModel,
    tokens: Tokens,
    budget: int | None = None,
    max_bytes: int | None = None,
    bare: bool | str = False,
) -> bytes:
    """The stream of a picture's tokens within the limits; see `RegisterCodec.encode`."""
    field = square.field_of(tokens.fit, tokens.size)
    extension = ((FIT, field),) if field else ()
    head = framing.head(model, tokens.size, tokens.grey, bare, extension)
    framing.check_room(max_bytes, len(head))
    wanted = None if budget is None else min(budget, len(tokens))
    room = None if max_bytes is None else max_bytes - len(head)
    string = payload.write(model.code, tokens.ids.tolist(), wanted)[:room]
    if model.fixed:
        warn(model, len(payload.read(model.code, string)) // len(model.code.levels))
    return head + string


def parse(
    model: RegisterModel,
    data: bytes,
    max_pixels: int | None,
    original_size: Size | None = None,
    grey: bool = False,
    bare: bool | str = False,
) -> Frame:
    """As `framing.parse`, for streams without a reference.

    Raises:
        UnknownFieldError: there is one.
    """
    frame = framing.parse(model, data, max_pixels, original_size, grey, bare)
    if frame.header.reference is not None:
        raise UnknownFieldError(f"{model.name} {NO_REFERENCE}")
    return frame


def read(model: RegisterModel, frame: Frame, fit: str | None = None) -> Tokens:
    """The whole tokens of a stream; `fit` where its header does not tell it."""
    if fit is None:
        fit = square.mode_of(dict(frame.header.extension).get(FIT))
    digits = payload.read(model.code, frame.payload)
    header = frame.header
    return model.tokens(model.code.ids(digits), (header.width, header.height), header.grey, fit)


def checked(model: RegisterModel, tokens: Tokens) -> Tokens:
    """The tokens, if they are this model's.

    Raises:
        ModelMismatchError, TokensError: they are another's, or too many.
    """
    check_tokens(tokens, model)
    most, vocabulary = model.tokenizer.length, model.tokenizer.vocabulary
    if len(tokens) > most:
        raise TokensError(f"{len(tokens)} tokens are more than a picture has ({most})")
    return replace(tokens, vocabulary=vocabulary)


def warn(model: RegisterModel, count: int) -> None:
    """Tell it, if the model needs more tokens than that to draw well."""
    if count < model.tokenizer.shortest:
        errors.warn(
            f"{model.name} was trained to draw from all {model.tokenizer.length} "
            f"tokens; from {count} it draws badly"
        )
