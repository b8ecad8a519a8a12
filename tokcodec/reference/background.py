"""Streams of one scene to one stream of what stays: a reference for all that follow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tokcodec import registry
from tokcodec.coder import codestring
from tokcodec.errors import ArgumentError, ModelMismatchError
from tokcodec.limits import MAX_PIXELS
from tokcodec.model import Model
from tokcodec.pixels import image
from tokcodec.reference.known import SINGLE, Given, listed, opened
from tokcodec.stream import header as headers
from tokcodec.tokens.order import order_for
from tokcodec.tokens.quantiser import Source
from tokcodec.tokens.tokens import DIGITS

FINER = 2  # about half a plane: what the median of five adds to them


def background(streams: Sequence[Given], *, max_pixels: int | None = MAX_PIXELS) -> bytes:
    """The median of several pictures, coefficient by coefficient, as a stream: noise is less, and
    what moved is gone.

    Args:
        streams: at least one, of one size and model; a picture with a reference as the list of
            streams that leads to it.
        max_pixels: refuse larger pictures; None for no limit.

    Returns:
        A stream that stands alone, with `FINER` times the tokens of the longest of those given:
        what lies beyond rests on nothing.

    Raises:
        ArgumentError: there are none, or they are something else than streams.
        StreamError, UnknownModelError: one is no stream of a known model.
        ModelMismatchError: they are of a register tokenizer.
        ImageTooLargeError: they have more than `max_pixels` pixels.
        ReferenceMismatchError: they differ in size, model or colour, or a reference is missing.
    """
    if not isinstance(streams, Sequence) or isinstance(streams, (*SINGLE, str)) or not streams:
        raise ArgumentError("a background is made of a list of streams, at least one")
    pictures = [listed(given, "each picture of a background") for given in streams]
    header, _ = headers.parse(pictures[0][-1])
    image.check_pixels(header.width, header.height, max_pixels)
    model = registry.model_for(header.model, header.hash)
    if not isinstance(model, Model):
        raise ModelMismatchError(f"backgrounds are made of pyramids, not of {model.name}")
    order = order_for(model, header.height, header.width, 1 if header.grey else 3)
    seen = [opened(p, order) for p in pictures]
    values = zip(*(s.values for s in seen), strict=True)
    middle = [np.rint(np.median(band, axis=0)).astype(np.int32) for band in values]
    tokens = -(-FINER * max(s.digits for s in seen) // DIGITS)
    script = codestring.Script(order, _Whole(order, middle).digits)
    alone = headers.Header(header.model, header.width, header.height, header.grey, header.hash)
    return headers.write(alone, model.sha256) + codestring.code(script, tokens)


class _Whole(Source):
    """The digits of coefficients that are quantised already: whole numbers, in steps of their
    band's finest plane.
    """

    def _quantise(self, band: int) -> None:
        for parity, at in enumerate(self.order.grid(band).passes):
            self._rest[band, parity] = self.coefficients[band].ravel().take(at)
