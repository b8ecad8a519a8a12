"""Pictures to streams of register tokens, and back: picture -> square -> ids -> code string."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from PIL import Image

from tokcodec.arguments import Size, check_limits, check_several, check_tokens
from tokcodec.errors import ArgumentError
from tokcodec.limits import MAX_PIXELS
from tokcodec.pixels.image import WHITE, Colour, Picture, check_pixels
from tokcodec.reference import Given
from tokcodec.register import detail, payload, square, stream
from tokcodec.register.model import OWN, RegisterModel
from tokcodec.register.square import SQUASH, Finish
from tokcodec.register.stream import NO_REFERENCE
from tokcodec.register.tokenizer import NO_TORCH
from tokcodec.stream import framing
from tokcodec.stream.info import Info
from tokcodec.tokens.tokens import Tokens


class RegisterCodec:
    """A register tokenizer with the verbs of `tokcodec.Codec`. `tokcodec.load(...)` makes one.

    Args:
        model: the tokenizer, on the device where it is to work.
        batch: pictures that go through the network together; None: one on a CPU, where more would
            only cost memory, else 8.
    """

    def __init__(self, model: RegisterModel, batch: int | None = None) -> None:
        self.model, self.batch = model, batch

    def __repr__(self) -> str:
        return f"<RegisterCodec {self.model.name} {self.model.id[:8]}>"

    # ---- there

    def encode(
        self,
        picture: Picture,
        budget: int | None = None,
        max_bytes: int | None = None,
        psnr: float | None = None,
        *,
        fit: str | None = SQUASH,
        background: Colour = WHITE,
        bare: bool | str = False,
        max_pixels: int | None = MAX_PIXELS,
        quality: float | None = None,
        effort: int = 0,
        decoder: str | Path | None = None,
        reference: None = None,
    ) -> bytes:
        """A picture to a stream. Of several limits the tightest wins; with none, all tokens.

        Args:
            picture: anything that `tokcodec.encode` takes.
            budget: tokens to keep; the stream is the shortest that determines so many.
            max_bytes: the whole stream, header included, is never larger.
            psnr, quality, effort, decoder, reference: not known to these tokenizers.
            fit: how the picture becomes a square: "squash" (None), "crop" (its middle) or "pad".
            background: RGB to see through transparent parts.
            bare: True leaves the header out; "size" keeps four bytes of flags and size. The
                receiver must know model and, unless it is "squash", fit.
            max_pixels: refuse larger pictures; None for no limit.

        Raises:
            InputError, ImageTooLargeError: the picture cannot be used.
            ArgumentError: a limit or a way to fit that makes no sense, or what is not known.

        Warns:
            TokCodecWarning: the model needs more tokens than that to draw well.
        """
        (data,) = self.encode_batch(
            [picture], budget, max_bytes, psnr,
            fit=fit, background=background, bare=bare, max_pixels=max_pixels,
            quality=quality, effort=effort, decoder=decoder, reference=reference,
        )  # fmt: skip
        return data

    def encode_batch(
        self,
        pictures: Iterable[Picture],
        budget: int | None = None,
        max_bytes: int | None = None,
        psnr: float | None = None,
        *,
        bare: bool | str = False,
        quality: float | None = None,
        effort: int = 0,
        decoder: str | Path | None = None,
        reference: None = None,
        fit: str | None = SQUASH,
        background: Colour = WHITE,
        max_pixels: int | None = MAX_PIXELS,
    ) -> list[bytes]:
        """`encode` for each picture, in order, several at a time."""
        check_several(pictures)
        budget, max_bytes = check_limits(budget, max_bytes, psnr)
        for given, said in (
            (psnr is not None, "aims at likeness, not at decibels: give budget or max_bytes"),
            (quality is not None, "has no measure of quality: give budget or max_bytes"),
            (effort != 0, "has one way to encode: leave effort out"),
            (decoder is not None, "knows no other decoder when it encodes: leave decoder out"),
            (reference is not None, NO_REFERENCE),
        ):
            if given:
                raise ArgumentError(f"{self.model.name} {said}")
        fit = SQUASH if fit is None else fit
        seen = _networks().see(self.model, pictures, self.batch, fit, background, max_pixels)
        found = list(seen)
        return [stream.write(self.model, tokens, budget, max_bytes, bare) for tokens in found]

    def tokenize(
        self,
        picture: Picture,
        budget: int | None = None,
        *,
        fit: str = SQUASH,
        background: Colour = WHITE,
        max_pixels: int | None = MAX_PIXELS,
    ) -> Tokens:
        """A picture to its first `budget` tokens (all of them: None); the rest as for `encode`."""
        budget, _ = check_limits(budget, None)
        (tokens,) = _networks().see(self.model, [picture], self.batch, fit, background, max_pixels)
        return tokens[:budget]

    def pack(self, tokens: Tokens) -> bytes:
        """Tokens to a stream that determines these and no others: `unpack` gives them back."""
        return stream.write(self.model, stream.checked(self.model, tokens))

    # ---- and back

    def decode(
        self,
        data: bytes,
        size: Size | None = None,
        *,
        decoder: str | Path = "auto",
        realism: float | None = None,
        max_pixels: int | None = MAX_PIXELS,
        original_size: Size | None = None,
        grey: bool = False,
        bare: bool | str = False,
        fit: str = SQUASH,
        reference: Given | None = None,
        **options: Any,
    ) -> Image.Image:
        """A stream, or any prefix of one that has the whole header, to a picture at the original
        size. Behind the header there is no checksum, as with `Codec.decode`.

        Args:
            data: a stream; `bare` as it was written: "size" if flags and size stand before the
                code string, True if nothing does, which wants `original_size`, too.
            size: (width, height) to fit the picture into, shape kept, never enlarged.
            decoder, realism: what draws the detail that a tokenizer of one's own does not see, and
                how, as for a pyramid; "linear" only enlarges. Published tokenizers bring their own
                decoder: "auto" and None.
            max_pixels: refuse larger originals; None for no limit.
            original_size: (width, height) of a stream written with `bare=True`; `grey` if R = G = B
                there, `fit` as it was written.
            reference: not looked at, since these streams stand alone.
            options: of the tokenizer; FlexTok's are steps, guidance and seed.

        Returns:
            PIL image of mode RGB.

        Raises:
            StreamError, ModelMismatchError, ImageTooLargeError: as `Codec.decode`.
            ArgumentError: an argument has no meaning, the tokenizer has no such option, or torch is
                missing.
            InputError, DamagedModelError: the file of a decoder cannot be used.

        Warns:
            TokCodecWarning: the model needs more tokens than these to draw well.
        """
        (picture,) = self.decode_batch(
            [data], size,
            decoder=decoder, realism=realism, max_pixels=max_pixels, original_size=original_size,
            grey=grey, bare=bare, fit=fit, reference=reference, **options,
        )  # fmt: skip
        return picture

    def decode_batch(
        self,
        streams: Sequence[bytes],
        size: Size | None = None,
        *,
        decoder: str | Path = "auto",
        realism: float | None = None,
        max_pixels: int | None = MAX_PIXELS,
        original_size: Size | None = None,
        grey: bool = False,
        bare: bool | str = False,
        fit: str = SQUASH,
        reference: Given | None = None,
        **options: Any,
    ) -> list[Image.Image]:
        """`decode` for each stream, in order; those of as many tokens several at a time. Arguments
        and errors as for `decode`.
        """
        check_several(streams)
        finish = self._finish(decoder, realism)
        square.check_mode(fit)
        told = _told(fit, original_size, bare)
        parse = partial(
            stream.parse, self.model,
            max_pixels=max_pixels, original_size=original_size, grey=grey, bare=bare,
        )  # fmt: skip
        pictures = [stream.read(self.model, parse(data), told) for data in streams]
        return self._draw(pictures, size, options, finish)

    def detokenize(self, tokens: Tokens, size: Size | None = None, **options: Any) -> Image.Image:
        """Tokens, all or a prefix, to a picture at the original size, or fitted into `size`;
        options as for `decode`, `max_pixels` among them.
        """
        finish = self._finish(options.pop("decoder", "auto"), options.pop("realism", None))
        check_pixels(*check_tokens(tokens, self.model), options.pop("max_pixels", MAX_PIXELS))
        return self._draw([stream.checked(self.model, tokens)], size, options, finish)[0]

    def unpack(
        self,
        data: bytes,
        *,
        max_pixels: int | None = MAX_PIXELS,
        original_size: Size | None = None,
        grey: bool = False,
        bare: bool | str = False,
        fit: str = SQUASH,
    ) -> Tokens:
        """A stream to the whole tokens that it determines; arguments and errors as for `decode`."""
        square.check_mode(fit)
        frame = stream.parse(self.model, data, max_pixels, original_size, grey, bare)
        return stream.read(self.model, frame, _told(fit, original_size, bare))

    def cut(
        self,
        data: bytes,
        budget: int | None = None,
        max_bytes: int | None = None,
        *,
        max_pixels: int | None = MAX_PIXELS,
        original_size: Size | None = None,
        grey: bool = False,
        bare: bool | str = False,
    ) -> bytes:
        """The prefix of a stream that `encode` would have given with these limits; all of it, if it
        is within them already. Tokens have to be counted: larger pictures than `max_pixels` are
        refused then.

        Args:
            original_size, grey, bare: as for `decode`.

        Raises:
            ArgumentError: a limit is out of range, or smaller than the header.
            StreamError, ModelMismatchError: the bytes are no stream of this model.
            ImageTooLargeError: see above.
        """
        most = max_pixels if budget is not None else None
        frame = stream.parse(self.model, data, most, original_size, grey, bare)
        return framing.cut(
            frame, budget, max_bytes, partial(payload.shortest, self.model.code, frame.payload)
        )

    def info(
        self,
        data: bytes,
        count: bool = True,
        *,
        max_pixels: int | None = MAX_PIXELS,
        original_size: Size | None = None,
        grey: bool = False,
        bare: bool | str = False,
    ) -> Info:
        """What a stream says of itself; `count=False` reads the header only, whatever its picture's
        size. Other arguments as for `decode`; raises as that does for streams.
        """
        most = max_pixels if count else None
        frame = stream.parse(self.model, data, most, original_size, grey, bare)
        code, counted = self.model.code, None
        if count:
            digits, each = len(payload.read(code, frame.payload)), len(code.levels)
            counted = framing.Counted(digits // each, digits, digits == code.length * each)
        return framing.info(self.model, frame, counted, self.model.tokenizer.shortest)

    # ---- helpers

    def _finish(self, decoder: str | Path, realism: float | None) -> Finish | None:
        """What draws the detail above the square, if that is not the tokenizer's own work."""
        if self.model.family == OWN:
            side, device = self.model.tokenizer.side, _networks().device_of(self.model)
            return detail.finish(side, decoder, realism, None if device.type == "cpu" else device)
        if str(decoder) != "auto" or realism is not None:
            raise ArgumentError("published tokenizers bring their own decoder, without realism")
        return None

    def _draw(
        self,
        pictures: Sequence[Tokens],
        size: Size | None,
        options: dict[str, Any],
        finish: Finish | None,
    ) -> list[Image.Image]:
        for name in ("device", "dtype"):  # which a pyramid's `decode` takes
            if options.pop(name, None) is not None:
                raise ArgumentError(
                    f"{self.model.name} works where it was loaded: tokcodec.load(..., {name}=)"
                )
        if pictures and self.model.fixed:
            stream.warn(self.model, min(len(tokens) for tokens in pictures))
        return _networks().draw(self.model, pictures, size, self.batch, options, finish)


def _told(fit: str, original_size: Size | None, bare: bool | str) -> str | None:
    """The fit of a stream that has no header to tell it; None for others."""
    return None if bare is False and original_size is None else fit


def _networks() -> ModuleType:
    """What needs torch; streams can be read and cut without."""
    try:
        from tokcodec.register import batches
    except ImportError:
        raise ArgumentError(NO_TORCH) from None
    return batches
