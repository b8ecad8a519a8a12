"""Pictures to streams of register tokens, and back: picture -> square -> ids -> code string."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from tokcodec.arguments import Size, as_bytes, check_limits, check_size
from tokcodec.errors import (
    ArgumentError,
    ModelMismatchError,
    TokCodecWarning,
    TokensError,
    UnknownFieldError,
)
from tokcodec.limits import MAX_PIXELS
from tokcodec.pixels import image
from tokcodec.pixels.image import WHITE, Colour, Picture
from tokcodec.register import payload, square
from tokcodec.register.batches import device_of, draw, see, told
from tokcodec.register.model import RegisterModel
from tokcodec.register.square import SQUASH
from tokcodec.stream import header as headers
from tokcodec.stream.header import FIT, HASHED, Header
from tokcodec.stream.info import Info
from tokcodec.tokens.tokens import Tokens

BATCH = 8  # pictures that go through the network together; on a CPU that would only cost memory
NO_REFERENCE = "knows no pictures with a reference"


class RegisterCodec:
    """A register tokenizer with the verbs of `tokcodec.Codec`. `tokcodec.load(...)` makes one.

    Args:
        model: the tokenizer, on the device where it is to work.
        batch: pictures that go through the network together; None: one on a CPU, else 8.
    """

    def __init__(self, model: RegisterModel, batch: int | None = None) -> None:
        self.model = model
        self.batch = batch or (1 if device_of(model).type == "cpu" else BATCH)

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
        fit: str = SQUASH,
        background: Colour = WHITE,
        bare: bool | str = False,
        max_pixels: int | None = MAX_PIXELS,
        quality: float | None = None,
        effort: int = 0,
        reference: Any = None,
    ) -> bytes:
        """A picture to a stream. Of several limits the tightest wins; with none, all tokens.

        Args:
            picture: anything that `tokcodec.encode` takes.
            budget: tokens to keep; the stream is the shortest that determines so many.
            max_bytes: the whole stream, header included, is never larger.
            psnr, quality, effort, reference: not known to these tokenizers.
            fit: how the picture becomes a square: "squash", "crop" (its middle) or "pad".
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
            quality=quality, effort=effort, reference=reference,
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
        reference: Any = None,
        **options,
    ) -> list[bytes]:
        """`encode` for each picture, in order, several at a time."""
        check_limits(budget, max_bytes, psnr)
        for given, said in (
            (psnr is not None, "aims at likeness, not at decibels: give budget or max_bytes"),
            (quality is not None, "has no measure of quality: give budget or max_bytes"),
            (effort != 0, "has one way to encode: leave effort out"),
            (reference is not None, NO_REFERENCE),
        ):
            if given:
                raise ArgumentError(f"{self.model.name} {said}")
        found = list(see(self.model, pictures, self.batch, **options))
        return [self._stream(tokens, budget, max_bytes, bare) for tokens in found]

    def tokenize(self, picture: Picture, budget: int | None = None, **options) -> Tokens:
        """A picture to its first `budget` tokens (all of them: None); options as for `encode`."""
        check_limits(budget, None)
        (tokens,) = see(self.model, [picture], self.batch, **options)
        return tokens[:budget]

    def pack(self, tokens: Tokens) -> bytes:
        """Tokens to the shortest stream that determines them all."""
        return self._stream(self._own(tokens), None, None, bare=False)

    def _stream(
        self, tokens: Tokens, budget: int | None, max_bytes: int | None, bare: bool | str
    ) -> bytes:
        """The stream of a picture's tokens, no longer than the limits."""
        head = self._head(tokens, bare)
        if max_bytes is not None and max_bytes < len(head):
            raise ArgumentError(
                f"max_bytes={max_bytes} is smaller than the header ({len(head)} bytes)"
            )
        wanted = None if budget is None else min(budget, len(tokens))
        data = (head + payload.write(self.model.code, tokens.ids.tolist(), wanted))[:max_bytes]
        if self.model.fixed:
            self._warn(len(payload.read(self.model.code, data[len(head) :])))
        return data

    def _head(self, tokens: Tokens, bare: bool | str) -> bytes:
        if bare is True:
            return b""
        field = square.field_of(tokens.fit, tokens.size)
        extension = ((FIT, field),) if field and not bare else ()
        sha256 = self.model.sha256
        header = Header(HASHED, *tokens.size, tokens.grey, sha256[:4], extension)
        if bare == "size":
            return headers.write_bare(header)
        if bare is not False:
            raise ArgumentError(f"bare must be True, False or 'size', not {bare!r}")
        return headers.write(header, sha256)

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
        bare: bool = False,
        fit: str = SQUASH,
        reference: Any = None,
        **options,
    ) -> Image.Image:
        """A stream, or any prefix of one that has the whole header, to a picture at the original
        size.

        Args:
            data: a stream; with `bare=True` flags, size and code string; with `original_size` the
                code string alone.
            size: (width, height) to fit the picture into, shape kept, never enlarged.
            decoder, realism: "auto" and None; the tokenizer brings its own decoder.
            max_pixels: refuse larger originals; None for no limit.
            original_size: (width, height) of a stream written with `bare=True`; `grey` if R = G = B
                there, `fit` as it was written.
            reference: None; these tokenizers know none.
            options: of the tokenizer; FlexTok's are steps, guidance and seed.

        Returns:
            PIL image of mode RGB.

        Warns:
            TokCodecWarning: the model needs more tokens than these to draw well.
        """
        _check_decoder(decoder, realism)
        if reference is not None:
            raise ArgumentError(f"{self.model.name} {NO_REFERENCE}")
        tokens, _ = self._parse(data, max_pixels, original_size, grey, bare, fit)
        return self._draw([tokens], size, options)[0]

    def decode_batch(
        self,
        streams: Sequence[bytes],
        size: Size | None = None,
        *,
        decoder: str | Path = "auto",
        realism: float | None = None,
        max_pixels: int | None = MAX_PIXELS,
        **options,
    ) -> list[Image.Image]:
        """`decode` for each stream, in order; those of as many tokens several at a time."""
        _check_decoder(decoder, realism)
        return self._draw([self._parse(s, max_pixels)[0] for s in streams], size, options)

    def detokenize(self, tokens: Tokens, size: Size | None = None, **options) -> Image.Image:
        """Tokens, all or a prefix, to a picture at the original size, or fitted into `size`;
        options as for `decode`.
        """
        _check_decoder(options.pop("decoder", "auto"), options.pop("realism", None))
        return self._draw([self._own(tokens)], size, options)[0]

    def unpack(self, data: bytes, *, max_pixels: int | None = MAX_PIXELS) -> Tokens:
        """A stream to the whole tokens that it determines."""
        return self._parse(data, max_pixels)[0]

    def cut(self, data: bytes, budget: int | None = None, max_bytes: int | None = None) -> bytes:
        """The prefix of a stream that `encode` would have given with these limits; all of it, if it
        is within them already.
        """
        check_limits(budget, max_bytes)
        data = as_bytes(data)
        _, head = self._header(data, None)
        if max_bytes is not None and max_bytes < head:
            raise ArgumentError(f"max_bytes={max_bytes} is smaller than the header ({head} bytes)")
        if budget is not None:
            data = data[: head + payload.shortest(self.model.code, data[head:], budget)]
        return data[:max_bytes]

    def info(self, data: bytes, count: bool = True, *, max_pixels: int | None = MAX_PIXELS) -> Info:
        """What a stream says of itself; `count=False` reads the header only."""
        data = as_bytes(data)
        header, head = self._header(data, max_pixels if count else None)
        digits = len(payload.read(self.model.code, data[head:])) if count else None
        levels, length = self.model.tokenizer.levels, self.model.tokenizer.length
        return Info(
            self.model.name, self.model.id, header.width, header.height, header.grey,
            len(data), head,
            8 * len(data) / (header.width * header.height),
            None if digits is None else digits // len(levels), digits,
            None if digits is None else digits == length * len(levels),
            self.model.tokenizer.shortest,
        )  # fmt: skip

    def _parse(
        self,
        data: bytes,
        max_pixels: int | None,
        original_size: Size | None = None,
        grey: bool = False,
        bare: bool = False,
        fit: str = SQUASH,
    ) -> tuple[Tokens, int]:
        """A stream to its tokens and the length of its header; all checks of the header first."""
        data = as_bytes(data)
        square.field_of(fit, (1, 1))
        if original_size is not None:
            header, head = Header(HASHED, *check_size(original_size), grey), 0
            image.check_size(header.width, header.height, max_pixels)
        else:
            header, head = self._header(data, max_pixels, bare)
        if not bare and original_size is None:
            fit = square.mode_of(dict(header.extension).get(FIT, b""))
        digits = payload.read(self.model.code, data[head:])
        return told(self.model, self.model.code.ids(digits), header, fit), head

    def _header(
        self, data: bytes, max_pixels: int | None, bare: bool = False
    ) -> tuple[Header, int]:
        header, length = headers.parse(data, bare)
        if not bare:
            if (header.model, header.hash) != (HASHED, self.model.sha256[:4]):
                raise ModelMismatchError(
                    f"the stream was written by another model than {self.model.name}; "
                    "decode it with tokcodec.decode"
                )
            headers.check(data[:length], self.model.sha256)
        if header.reference is not None:
            raise UnknownFieldError(f"{self.model.name} {NO_REFERENCE}")
        image.check_size(header.width, header.height, max_pixels)
        return header, length

    def _draw(
        self, pictures: Sequence[Tokens], size: Size | None, options: dict[str, Any]
    ) -> list[Image.Image]:
        if pictures and self.model.fixed:
            self._warn(min(len(tokens) for tokens in pictures))
        return draw(self.model, pictures, size, self.batch, options)

    # ---- helpers

    def _own(self, tokens: Tokens) -> Tokens:
        """The same tokens, if they are this model's."""
        if tokens.model != self.model.id:
            raise ModelMismatchError(
                f"the tokens belong to the model {tokens.model[:16]}..., not to {self.model.name}"
            )
        most, vocabulary = self.model.tokenizer.length, self.model.tokenizer.vocabulary
        if len(tokens) > most:
            raise TokensError(f"{len(tokens)} tokens are more than a picture has ({most})")
        check_size(tokens.size)
        return replace(tokens, vocabulary=vocabulary)

    def _warn(self, count: int) -> None:
        if count < self.model.tokenizer.shortest:
            warnings.warn(
                f"{self.model.name} was trained to draw from all {self.model.tokenizer.length} "
                f"tokens; from {count} it draws badly",
                TokCodecWarning,
                stacklevel=4,
            )


def _check_decoder(decoder: str | Path, realism: float | None) -> None:
    if str(decoder) != "auto" or realism is not None:
        raise ArgumentError("register tokenizers bring their own decoder, without realism")
