"""A decoder as the search sees it: digits to a picture, and the picture's error to its slopes."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from tokcodec import decoders
from tokcodec.decoders.linear import linear
from tokcodec.decoders.stored import tokens_of
from tokcodec.decoders.trained import TORCH, installed, opened
from tokcodec.effort import adjoint
from tokcodec.effort.draft import drawn
from tokcodec.effort.levels import LINEAR
from tokcodec.errors import ArgumentError
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import Order

NEURAL, AUTO = "neural", "auto"
SUFFIX = ".safetensors"  # of a file with weights to take slopes through
MAX_VIEWED = 1 << 20  # all features of the network are kept for the slopes: a gigabyte there


class View(Protocol):
    """What digits come to look like.

    `straight` tells whether the picture is a linear function of its coefficients: what a move does
    to the error then follows from slope and norm, and needs no second look.
    """

    straight: bool

    def draw(self, known: Knowledge) -> np.ndarray:
        """The planes (channels, height, width), float32, not rounded."""

    def project(self, planes: np.ndarray) -> list[np.ndarray]:
        """Inner products of `planes` with what one unit more of each coefficient adds to the
        picture drawn last: bands (channels, h, w), coarsest first.
        """

    def picture(self, known: Knowledge) -> np.ndarray:
        """What the receiver sees: uint8 (height, width, 3)."""


class Linear:
    """The inverse transform; see `View`."""

    straight = True

    def draw(self, known: Knowledge) -> np.ndarray:
        return drawn(known)

    def project(self, planes: np.ndarray) -> list[np.ndarray]:
        return adjoint.project(planes)

    def picture(self, known: Knowledge) -> np.ndarray:
        return linear(known, (known.order.width, known.order.height))


def find(decoder: str | Path, order: Order) -> View:
    """The view through the decoder of that name, for pictures of the size of `order`.

    Args:
        decoder: "linear"; "neural" is the shipped network; "auto" that network where torch is
            installed and the picture small enough, else "linear"; or the path of a decoder of one's
            own (.safetensors).

    Raises:
        ArgumentError: there is no such decoder, torch is not installed, or the picture is too large
            for slopes through a network.
        InputError, DamagedModelError: the file cannot be read, or holds something else.
        ModelMismatchError: the decoder in the file was trained for other tokens.
    """
    name, small = str(decoder), order.height * order.width <= MAX_VIEWED
    if name == AUTO:
        able = installed(TORCH) and decoders.SHIPPED.exists() and small
        name = NEURAL if able else LINEAR
    if name == LINEAR:
        return Linear()
    if name != NEURAL and not name.endswith(SUFFIX):
        raise ArgumentError(
            f"effort sees through {LINEAR}, {NEURAL}, {AUTO} or a file (*{SUFFIX}), not {name!r}"
        )
    if not installed(TORCH):
        raise ArgumentError(
            f"effort through the decoder {name!r} needs torch: pip install 'tokcodec[neural]'"
        )
    if not small:
        raise ArgumentError(
            f"effort through a network takes pictures of up to {MAX_VIEWED} pixels, not "
            f"{order.width}x{order.height}: decoder='linear' takes any"
        )
    runtime, card = opened(decoders.SHIPPED if name == NEURAL else Path(name), TORCH)
    tokens = tokens_of(card)
    if name != NEURAL:  # whoever names a file wants that one
        decoders.check_own(name, tokens, order.model)
    elif order.model.tokens_id not in tokens:
        return Linear()  # as `decode` draws these
    if len(order.bands) == order.channels:
        return Linear()
    from tokcodec.effort.neural import Neural

    return Neural(runtime)  # type: ignore[arg-type]  # of torch, as asked
