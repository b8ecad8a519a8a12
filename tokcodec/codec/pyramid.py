"""The way through the house: picture -> pixels -> tokens -> code string -> stream, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from PIL import Image

from tokcodec import decoders
from tokcodec import effort as efforts
from tokcodec import reference as references
from tokcodec.arguments import Size, check_limits, check_several, check_tokens
from tokcodec.codec.request import Request
from tokcodec.coder import codestring
from tokcodec.errors import ArgumentError, TokensError
from tokcodec.limits import MAX_PIXELS
from tokcodec.model import Model
from tokcodec.pixels import image
from tokcodec.pixels.image import WHITE, Colour, Picture
from tokcodec.reference import Given
from tokcodec.stream import framing
from tokcodec.stream.header import REFERENCE
from tokcodec.stream.info import Info
from tokcodec.tokens.order import Order, order_for
from tokcodec.tokens.picture import known_of, source_of
from tokcodec.tokens.tokens import DIGITS, VOCABULARY, Tokens, to_digits, to_ids

if TYPE_CHECKING:
    from tokcodec.codec.options import DecodeOptions, EncodeOptions


class Codec:
    """A model with its verbs. `tokcodec.load(name_or_path)` makes one."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __repr__(self) -> str:
        return f"<Codec {self.model.name} {self.model.id[:8]}>"

    # ---- there

    def encode(
        self,
        picture: Picture,
        budget: int | str | None = None,
        max_bytes: int | None = None,
        psnr: float | None = None,
        *,
        quality: float | None = None,
        background: Colour = WHITE,
        bare: bool | str = False,
        max_pixels: int | None = MAX_PIXELS,
        effort: int = 0,
        decoder: str | Path = efforts.LINEAR,
        reference: Given | None = None,
        fit: str | None = None,
    ) -> bytes:
        """A picture to a stream. Of several limits the tightest wins; with none, `psnr` is 32 dB.

        Args:
            picture: PIL image, array, CHW tensor, path or the bytes of an image file (see
                `pixels.image.to_rgb`).
            budget: tokens to keep; the stream is the shortest prefix of the full one that
                determines so many, and its last byte may determine a few more of them. "auto" is as
                many as the picture deserves: another byte would take as much off what people would
                miss as in every other picture, mostly as at a `quality` of 50 to 60.
            max_bytes: the whole stream, header included, is never larger.
            psnr: decibels that the linear decoder's picture reaches, at most 0.1 above unless one
                token makes the step. Out of reach: the full stream, and a `TokCodecWarning`.
            quality: 0 to 100, about as good to look at in every picture, as predicted from its
                tokens: (100 - quality) / 200 is the DISTS of the neural decoder's picture, give or
                take (docs/benchmarks.md). 100 is the full stream.
            background: RGB to see through transparent parts.
            bare: True leaves the header out (model, size and greyness travel elsewhere); "size"
                keeps four bytes of flags and size.
            max_pixels: refuse larger pictures; None for no limit.
            effort: 0 to 9: how long to look for digits that show more of the picture within the
                limit, or reach `psnr` in fewer bytes (docs/guides/effort.md). The limits hold as
                before; a complete stream stays as it is.
            decoder: whose picture effort looks at: "linear"; "neural", the shipped network at
                realism 0, or the path of a decoder of one's own (.safetensors), both with torch and
                up to a megapixel; "auto" is "neural" where that can be, else "linear". The stream
                is for every decoder.
            reference: an earlier stream of the same size, which the receiver has, too; or a list of
                streams, each but the first written with those before it, whose last is the
                reference. Where the picture is still the same it costs next to nothing; where
                nothing is to be gained, or one of them is grey and the other in colour, the stream
                is written without (docs/guides/fixed-camera.md).
            fit: None; it is for tokenizers that see squares.

        Raises:
            InputError, ImageTooLargeError: the picture cannot be used.
            ArgumentError: a limit is out of range, or smaller than the header; no such effort; a
                decoder that effort cannot look through, or with decibels to reach, which are those
                of the linear decoder.
            ReferenceMismatchError: the reference has another size or model.
            StreamError: the reference is no stream.
            InputError, DamagedModelError: the file of a decoder cannot be used.
        """
        if fit is not None:
            raise ArgumentError(f"{self.model.name} takes pictures of any shape: leave fit out")
        request = Request.of(
            budget, max_bytes, psnr, quality, effort, decoder, reference is not None
        )
        rgb = image.to_rgb(picture, background, max_pixels)
        source, field = source_of(self.model, rgb), b""  # field: of the header, if it has one
        view = efforts.find(decoder, source.order)
        if reference is not None:
            if bare is not False:
                raise ArgumentError("a reference is named in the header: leave bare out")
            opened = references.usable(reference, source.order)
            if opened is not None:
                request = request.in_decibels(source, rgb)
                source, field = request.against(
                    opened, source, rgb, lambda field: len(self._head(source.order, field=field))
                )
        head = self._head(source.order, bare, field)
        framing.check_room(max_bytes, len(head))
        return head + request.code(source, rgb, len(head), view)

    def tokenize(
        self,
        picture: Picture,
        budget: int | None = None,
        *,
        background: Colour = WHITE,
        max_pixels: int | None = MAX_PIXELS,
    ) -> Tokens:
        """A picture to its first `budget` tokens (all of them: None), without any coding. Arguments
        and errors as for `encode`.
        """
        budget, _ = check_limits(budget, None)
        rgb = image.to_rgb(picture, background, max_pixels)
        source = source_of(self.model, rgb)
        digits = source.first(source.order.digits if budget is None else budget * DIGITS)
        return self._tokens(digits, source.order)

    def pack(self, tokens: Tokens) -> bytes:
        """Tokens to a stream that determines these and no others: `unpack` gives them back.

        Raises:
            ArgumentError: they are no `Tokens`, or their size has no meaning.
            ModelMismatchError: another model made them.
            TokensError: there are more than a picture of this size has, or ids beyond the model's.
        """
        order, digits = self._digits_of(tokens)
        passes = iter(order.split(digits))
        script = codestring.Script(order, lambda step: next(passes))
        return self._head(order) + codestring.exact(script)

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
        reference: Given | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> Image.Image:
        """A stream, or any prefix of one that has the whole header, to a picture at the original
        size. Behind the header there is no checksum: damage there gives another picture, and no
        error.

        Args:
            data: a stream; `bare` as it was written: "size" if flags and size stand before the
                code string, True if nothing does, which wants `original_size`, too.
            size: (width, height) to fit the picture into, shape kept, never enlarged; costs no full
                decode.
            decoder: "auto" is the best at hand, "linear" the plain inverse transform, "neural" the
                shipped network, "onnx" the same without torch, "realesrgan" the pretrained
                Real-ESRGAN network, which invents detail (`pip install 'tokcodec[enhance]'`); a
                path that ends in .safetensors or .onnx is a decoder of one's own
                (docs/training.md).
            realism: 0 is closest to the original on average, 1 the most natural looking; None is
                what suits the decoder best. Only trained decoders know more than 0; "realesrgan"
                takes none.
            max_pixels: refuse larger originals; None for no limit.
            original_size: (width, height) of a stream written with `bare=True`; `grey` if R = G = B
                there. It says `bare=True` by itself.
            reference: what the picture was encoded with; not looked at if the stream stands alone.
            device, dtype: where torch runs the network, "cpu" (None), "cuda", ..., and in which
                precision, "float32" (None) or "bfloat16"; for decoders that torch runs.

        Returns:
            PIL image of mode RGB.

        Raises:
            StreamError: the header is damaged, cut off, or of a newer version.
            ModelMismatchError: another model wrote it, or the decoder in a file was trained for the
                tokens of another.
            ImageTooLargeError: the original has more than `max_pixels`.
            ReferenceMismatchError: the stream's reference is missing, or was another.
            ArgumentError: an argument has no meaning; no such decoder, device or precision, or a
                package is missing for it.
            InputError, DamagedModelError: the decoder's file cannot be read, or is none.

        Warns:
            TokCodecWarning: `original_size` is given, and the bytes begin with a header.
        """
        draw = decoders.find(decoder, realism, device, dtype)
        frame = framing.parse(self.model, data, max_pixels, original_size, grey, bare)
        order = references.onto(self._order(frame), frame.header, reference)
        known = codestring.read(order, frame.payload).known
        return decoders.picture(known, draw, size)

    def detokenize(
        self,
        tokens: Tokens,
        size: Size | None = None,
        *,
        decoder: str | Path = "auto",
        realism: float | None = None,
        device: Any = None,
        dtype: Any = None,
        max_pixels: int | None = MAX_PIXELS,
    ) -> Image.Image:
        """Tokens, all or a prefix, to a picture at the original size, or fitted into `size`; the
        rest as for `decode`. Raises as `pack` and `decode`.
        """
        draw = decoders.find(decoder, realism, device, dtype)
        image.check_pixels(*check_tokens(tokens, self.model), max_pixels)
        order, digits = self._digits_of(tokens)
        known = known_of(order, digits)
        return decoders.picture(known, draw, size)

    def unpack(
        self,
        data: bytes,
        *,
        max_pixels: int | None = MAX_PIXELS,
        original_size: Size | None = None,
        grey: bool = False,
        bare: bool | str = False,
    ) -> Tokens:
        """A stream to the whole tokens that it determines; arguments as for `decode`.

        Raises:
            StreamError, ModelMismatchError, ImageTooLargeError: as for `decode`.
            TokensError: the stream tells what has changed since a reference.
        """
        frame = framing.parse(self.model, data, max_pixels, original_size, grey, bare)
        if frame.header.reference is not None:
            raise TokensError(
                "this stream's tokens tell what has changed since its reference: decode it instead"
            )
        order = self._order(frame)
        reading = codestring.read(order, frame.payload, keep=True)
        return self._tokens(reading.digits[: reading.tokens * DIGITS], order)

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
        """The prefix of a stream that `encode` would have given with these limits, if the stream
        was written without effort or reference; all of it, if it is within them already. Tokens
        have to be counted: larger pictures than `max_pixels` are refused then.

        Args:
            original_size, grey, bare: as for `decode`.

        Raises:
            ArgumentError: a limit is out of range, or smaller than the header.
            StreamError, ModelMismatchError: the bytes are no stream of this model.
            ImageTooLargeError: see above.
        """
        most = max_pixels if budget is not None else None
        frame = framing.parse(self.model, data, most, original_size, grey, bare)
        return framing.cut(
            frame, budget, max_bytes,
            lambda tokens: codestring.shortest(self._order(frame), frame.payload, tokens),
        )  # fmt: skip

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
        frame = framing.parse(self.model, data, most, original_size, grey, bare)
        counted = None
        if count:
            reading = codestring.read(self._order(frame), frame.payload)
            counted = framing.Counted(reading.tokens, reading.total, reading.complete)
        return framing.info(self.model, frame, counted, reference=references.named(frame.header))

    # ---- many

    def encode_batch(
        self,
        pictures: Iterable[Picture],
        budget: int | str | None = None,
        max_bytes: int | None = None,
        psnr: float | None = None,
        **options: Unpack[EncodeOptions],
    ) -> list[bytes]:
        """`encode` for each picture, in order; ArgumentError if it is given one alone."""
        check_several(pictures)
        return [
            self.encode(p, budget, max_bytes, psnr, **options)  # type: ignore[arg-type]
            for p in pictures
        ]

    def decode_batch(
        self,
        streams: Sequence[bytes],
        size: Size | None = None,
        **options: Unpack[DecodeOptions],
    ) -> list[Image.Image]:
        """`decode` for each stream, in order."""
        check_several(streams)
        return [self.decode(s, size, **options) for s in streams]  # type: ignore[misc]

    # ---- helpers

    def _head(self, order: Order, bare: bool | str = False, field: bytes = b"") -> bytes:
        extension = ((REFERENCE, field),) if field else ()
        size = order.width, order.height
        return framing.head(self.model, size, order.channels == 1, bare, extension)

    def _order(self, frame: framing.Frame) -> Order:
        header = frame.header
        return order_for(self.model, header.height, header.width, 1 if header.grey else 3)

    def _digits_of(self, tokens: Tokens) -> tuple[Order, np.ndarray]:
        """Where the digits of this model's tokens belong, and the digits."""
        width, height = check_tokens(tokens, self.model)
        replace(tokens, vocabulary=VOCABULARY)  # raises for ids beyond it, whatever they say
        order = order_for(self.model, height, width, 1 if tokens.grey else 3)
        digits = to_digits(tokens.ids)
        if len(digits) - order.digits >= DIGITS:
            raise TokensError(
                f"{len(tokens)} tokens are more than a picture of this size has "
                f"({-(-order.digits // DIGITS)})"
            )
        if digits[order.digits :].any():
            raise TokensError("the last token's digits beyond the end of the picture must be 0")
        return order, digits

    def _tokens(self, digits: np.ndarray, order: Order) -> Tokens:
        size = order.width, order.height
        return Tokens(to_ids(digits), self.model.id, size, order.channels == 1)
