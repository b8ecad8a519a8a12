"""Limits of a stream - tokens, bytes, decibels, quality - to the code string that keeps them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tokcodec import effort as efforts
from tokcodec import quality as qualities
from tokcodec.arguments import check_limits
from tokcodec.coder import codestring
from tokcodec.decoders.linear import linear
from tokcodec.errors import ArgumentError, warn
from tokcodec.limits import DEFAULT_PSNR
from tokcodec.psnr import fewest_tokens
from tokcodec.psnr import psnr as decibels
from tokcodec.reference import Reference, choose
from tokcodec.tokens.quantiser import Source

MAX_DECIBELS = 100.0  # asked for where a picture is drawn without any error
ROUNDING = 1e-9  # decibels, so that what a stream reaches is not out of its own reach


@dataclass(frozen=True)
class Request:
    """What `Codec.encode` was asked for: limits, of which the tightest wins, each None where there
    is none; and the effort.

    Attributes:
        budget: tokens to keep.
        max_bytes: of the whole stream.
        psnr: decibels that the linear decoder's picture reaches.
        aims: predicted errors to reach (tokcodec.quality).
        effort: 0 to 9 (tokcodec.effort).
        warns: whether a `psnr` out of reach is worth a warning: it is the caller's own, and was
            not found for a quality.
    """

    budget: int | None = None
    max_bytes: int | None = None
    psnr: float | None = None
    aims: tuple[qualities.Aim, ...] = ()
    effort: int = 0
    warns: bool = False

    @classmethod
    def of(
        cls,
        budget: int | str | None,
        max_bytes: int | None,
        psnr: float | None,
        quality: float | None,
        effort: int,
        decoder: str | Path,
        reference: bool,
    ) -> Request:
        """The arguments of `Codec.encode`, checked; without any limit, `psnr` is 32 dB.

        Args:
            reference: whether there is one; decibels then stand for a quality (`in_decibels`).

        Raises:
            ArgumentError: a limit or an effort is out of range, or decibels are to be reached and
                the decoder is not the linear one.
        """
        tokens, aims = qualities.check(budget, quality)
        tokens, max_bytes = check_limits(tokens, max_bytes, psnr)
        efforts.check(effort, decoder)
        if not aims and all(limit is None for limit in (tokens, max_bytes, psnr)):
            psnr = DEFAULT_PSNR
        in_decibels = psnr is not None or (reference and bool(aims))
        if in_decibels and str(decoder) != efforts.LINEAR:
            raise ArgumentError(
                f"decibels ({DEFAULT_PSNR:g} without any limit) are told by the linear decoder: "
                "give another one with max_bytes, budget or, without a reference, quality"
            )
        psnr = None if psnr is None else float(psnr)
        return cls(tokens, max_bytes, psnr, aims, effort, warns=psnr is not None)

    def code(
        self,
        source: Source,
        rgb: np.ndarray,
        header: int,
        view: efforts.View | None = None,
        *,
        tell: bool = True,
    ) -> bytes:
        """The code string that keeps the limits.

        Args:
            source: the picture's digits, of which none was asked for yet.
            rgb: the picture, uint8 (height, width, 3).
            header: bytes of the header, for which `max_bytes` has room.
            view: the decoder that effort looks through; None for no effort.
            tell: whether to warn of decibels that are out of reach.
        """
        room = None if self.max_bytes is None else self.max_bytes - header
        script = codestring.Script(source.order, source.digits)
        reached = deserved = None
        if self.psnr is not None:
            reached = fewest_tokens(script, source, rgb, self.psnr)
        if self.aims:
            deserved = qualities.tokens_for(script, source, self.aims)
        numbers = [n for n in (self.budget, reached, deserved) if n is not None]
        tokens = min(numbers, default=None)
        payload = codestring.code(script, tokens, room)
        # With no limit on tokens left, not even all of them reach the decibels. The caller hears of
        # it, unless bytes cut the stream short.
        missed = tell and self.warns and self.psnr is not None and tokens is None
        if missed and (room is None or codestring.read(source.order, payload).complete):
            warn(f"{self.psnr:g} dB is out of reach for this picture; the stream is complete")
        if not self.effort or view is None:
            return payload
        aim = self.psnr if reached is not None and reached == tokens else None
        limits = efforts.Limits(tokens, room, aim)
        return efforts.improve(
            self.effort, source.order, source.coefficients, rgb, payload, limits, view
        )

    def in_decibels(self, source: Source, rgb: np.ndarray) -> Request:
        """The same with decibels for a quality: those of the linear decoder's picture at that
        quality. A picture's own tokens tell it, those of a change since a reference do not.
        """
        if not self.aims:
            return self
        payload = Request(aims=self.aims).code(source, rgb, 0)
        known = codestring.read(source.order, payload).known
        alike = decibels(linear(known, (source.order.width, source.order.height)), rgb)
        psnr = min(MAX_DECIBELS, alike - ROUNDING)
        if self.psnr is not None:
            psnr = min(psnr, self.psnr)
        return replace(self, psnr=psnr, aims=())

    def against(
        self,
        reference: Reference,
        source: Source,
        rgb: np.ndarray,
        header_bytes: Callable[[bytes], int],
    ) -> tuple[Source, bytes]:
        """The digits of the picture less its reference, and the data of the header's field that
        tells so; where that does not pay, the picture's own digits and no data.

        Args:
            header_bytes: how many bytes a header has with a field of these data.
        """

        def tried(source: Source, field: bytes) -> bytes | None:
            length = header_bytes(field)
            if self.max_bytes is not None and self.max_bytes < length:
                return None  # no room for the header
            return self.code(source, rgb, length, tell=False)

        return choose(reference, source.order, source.coefficients, rgb, tried)
