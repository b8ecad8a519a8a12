"""A code string and the header before it to a stream, and back; the same for models of every
family.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tokcodec import registry
from tokcodec.arguments import Size, as_bytes, check_limits, check_size
from tokcodec.errors import ArgumentError, ModelMismatchError, TokCodecError, warn
from tokcodec.model import Model
from tokcodec.pixels import image
from tokcodec.registry import AnyModel
from tokcodec.stream import header as headers
from tokcodec.stream.header import Header
from tokcodec.stream.info import Info

SIZED = "size"  # a bare stream that tells flags and size


class Frame(NamedTuple):
    """A stream, or a prefix of one, taken apart.

    Attributes:
        header: what it says of its picture.
        length: bytes that the header takes; 0 if the stream has none.
        data: all bytes of the stream, header included.
    """

    header: Header
    length: int
    data: bytes

    @property
    def payload(self) -> bytes:
        """What follows the header: the code string, or a prefix of it."""
        return self.data[self.length :]


class Counted(NamedTuple):
    """What a stream determines; see `Info`."""

    tokens: int
    digits: int
    complete: bool


def head(
    model: AnyModel,
    size: Size,
    grey: bool,
    bare: bool | str = False,
    extension: tuple[tuple[int, bytes], ...] = (),
) -> bytes:
    """What stands before the code string of a picture.

    Args:
        model: that gives the digits their meaning.
        size: (width, height); grey: R = G = B there.
        bare: False for a whole header, "size" for flags and size alone, True for nothing.
        extension: (type, data) of the fields of a whole header.

    Raises:
        ArgumentError: `bare` is something else, or "size" and a side is longer than 4,096.
    """
    _check_bare(bare)
    if bare is True:
        return b""
    named = registry.code_of(model)
    if bare == SIZED:
        return headers.write_bare(Header(named[0], *size, grey, named[1]))
    return headers.write(Header(named[0], *size, grey, named[1], extension), model.sha256)


def parse(
    model: AnyModel,
    data: bytes,
    max_pixels: int | None,
    original_size: Size | None = None,
    grey: bool = False,
    bare: bool | str = False,
) -> Frame:
    """A stream of `model` to its parts; arguments as for `Codec.decode`. Every check of the header
    comes before anything large.

    Raises:
        ArgumentError: `bare` is none of its values, or does not go with `original_size`.
        ModelMismatchError: another model wrote it.
        StreamError: the header is damaged, or ends too early.
        ImageTooLargeError: the picture has more than `max_pixels`.
    """
    data = as_bytes(data)
    _check_bare(bare)
    if original_size is not None:
        if bare == SIZED:
            raise ArgumentError(
                "a stream written with bare='size' tells its size: leave original_size out"
            )
        header, length = Header(0, *check_size(original_size), grey), 0
        if _whole(data):
            warn("these bytes begin with a header, which tells their size: leave original_size out")
    elif bare is True:
        raise ArgumentError(
            "a stream written with bare=True tells no size: give original_size=(width, height)"
        )
    elif grey:
        raise ArgumentError("a stream with a header tells whether it is grey: leave grey out")
    else:
        header, length = headers.parse(data, bare == SIZED)
        if bare is False:
            _check_model(model, header, data[:length])
    image.check_pixels(header.width, header.height, max_pixels)
    return Frame(header, length, data)


def cut(
    frame: Frame, budget: int | None, max_bytes: int | None, shortest: Callable[[int], int]
) -> bytes:
    """The prefix of a stream within the limits of `Codec.cut`.

    Args:
        shortest: how many bytes of the payload determine so many tokens.
    """
    budget, max_bytes = check_limits(budget, max_bytes)
    check_room(max_bytes, frame.length)
    data = frame.data
    if budget is not None:
        data = data[: frame.length + shortest(budget)]
    return data[:max_bytes]


def check_room(max_bytes: int | None, header: int) -> None:
    """Refuse a limit that not even the header keeps.

    Raises:
        ArgumentError: `max_bytes` is below the header's bytes.
    """
    if max_bytes is not None and max_bytes < header:
        raise ArgumentError(f"max_bytes={max_bytes} is smaller than the header ({header} bytes)")


def info(
    model: AnyModel,
    frame: Frame,
    counted: Counted | None,
    shortest: int = 1,
    reference: str | None = None,
) -> Info:
    """What a stream says of itself.

    Args:
        counted: what was found by reading its code string; None if only the header was read.
        shortest, reference: as `Info` has them.
    """
    header, length = frame.header, len(frame.data)
    tokens, digits, complete = counted or (None, None, None)
    return Info(
        model.name, model.id, header.width, header.height, header.grey,
        length, frame.length, 8 * length / (header.width * header.height),
        tokens, digits, complete, shortest, reference,
    )  # fmt: skip


def _check_bare(bare: bool | str) -> None:
    if bare is not True and bare is not False and bare != SIZED:
        raise ArgumentError(f"bare must be True, False or {SIZED!r}, not {bare!r:.40}")


def _whole(data: bytes) -> bool:
    """Whether the bytes begin with a sound header of a model that is known, as a code string alone
    does by chance once in millions.
    """
    try:
        header, length = headers.parse(data)
        headers.check(data[:length], registry.model_for(header.model, header.hash).sha256)
    except TokCodecError:
        return False
    return True


def _check_model(model: AnyModel, header: Header, whole: bytes) -> None:
    if (header.model, header.hash) != registry.code_of(model):
        prior = "" if isinstance(model, Model) else ", or give the prior= that it was written with"
        raise ModelMismatchError(
            f"the stream was written by another model than {model.name}: by "
            f"{registry.in_words(header.model, header.hash)}. Name no model, so that the "
            f"header decides{prior}"
        )
    headers.check(whole, model.sha256)
