"""The way through the house: picture -> pixels -> tokens -> code string -> stream, and back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import Image

from tokcodec import decoders, weights
from tokcodec import effort as efforts
from tokcodec import quality as qualities
from tokcodec import reference as references
from tokcodec.arguments import Size, as_bytes, check_limits, check_size
from tokcodec.coder import codestring
from tokcodec.errors import ArgumentError, ModelMismatchError, TokensError
from tokcodec.limits import DEFAULT_PSNR, MAX_PIXELS
from tokcodec.model import Model
from tokcodec.pixels import colour, geometry, image
from tokcodec.pixels.image import WHITE, Colour, Picture
from tokcodec.prior.knowledge import Knowledge
from tokcodec.psnr import psnr as decibels
from tokcodec.psnr import tokens_for
from tokcodec.reference import Given
from tokcodec.register.sources import names_tokenizer
from tokcodec.stream import header as headers
from tokcodec.stream.header import REFERENCE, Header
from tokcodec.stream.info import Info
from tokcodec.tokens.order import Order, order_for
from tokcodec.tokens.pyramid import Source, analyse
from tokcodec.tokens.tokens import DIGITS, Tokens, to_digits, to_ids

if TYPE_CHECKING:
    from tokcodec.register.codec import RegisterCodec

_Limits = tuple[int | None, int | None, float | None, float | None]


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
    ) -> bytes:
        """A picture to a stream. Of several limits the tightest wins; with none, `psnr` is 32 dB.

        Args:
            picture: PIL image, array, CHW tensor, path or the bytes of an image file (see
                `pixels.image.to_rgb`).
            budget: tokens to keep; the stream is the shortest that determines so many. "auto" is
                as many as the picture deserves: `quality` 50.
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
                nothing is to be gained the stream is written without (docs/guides/fixed-camera.md).

        Raises:
            InputError, ImageTooLargeError: the picture cannot be used.
            ArgumentError: a limit is out of range, or smaller than the header; no such effort; a
                decoder that effort cannot look through, or with decibels to reach, which are those
                of the linear decoder.
            ReferenceMismatchError: the reference has another size, model or colour.
        """
        budget, quality = qualities.check(budget, quality)
        check_limits(budget, max_bytes, psnr)
        efforts.check(effort, decoder)
        if all(limit is None for limit in (budget, max_bytes, psnr, quality)):
            psnr = DEFAULT_PSNR
        told = psnr is not None or (reference is not None and quality is not None)
        if told and str(decoder) != efforts.LINEAR:
            raise ArgumentError(
                "decibels are told by the linear decoder: give another one with max_bytes, budget "
                "or, without a reference, quality"
            )
        rgb = image.to_rgb(picture, background, max_pixels)
        head, order, source = self._open(rgb, bare)
        view = efforts.find(decoder, order)

        def code(order: Order, source: Source, head: bytes, effort: int = 0) -> bytes | None:
            room = None if max_bytes is None else max_bytes - len(head)
            if room is not None and room < 0:
                return None
            limits = budget, room, psnr, quality
            return self._payload(order, source, rgb, limits, effort, view)

        if reference is not None:
            if bare is not False:
                raise ArgumentError("a reference is named in the header: leave bare out")
            known = references.opened(reference, order)
            if quality is not None:  # a whole picture's tokens tell it, those of a change do not
                psnr, quality = max(psnr or 0.0, self._psnr_of(quality, order, rgb)), None
            order, source, field = references.choose(
                known, order, source.coefficients, rgb,
                lambda order, source, field: code(order, source, self._head(order, bare, field)),
            )  # fmt: skip
            head = self._head(order, bare, field)
        payload = code(order, source, head, effort)
        if payload is None:
            raise ArgumentError(
                f"max_bytes={max_bytes} is smaller than the header ({len(head)} bytes)"
            )
        return head + payload

    def _payload(
        self,
        order: Order,
        source: Source,
        rgb: np.ndarray,
        limits: _Limits,
        effort: int = 0,
        view: efforts.View | None = None,
    ) -> bytes:
        """The code string within the limits: tokens, bytes, decibels and quality."""
        budget, room, psnr, quality = limits
        script = codestring.Script(order, source.digits)
        found = None if psnr is None else tokens_for(script, source, rgb, psnr)
        deserved = None if quality is None else qualities.tokens_for(script, source, quality)
        tokens = _tightest(budget, found, deserved)
        payload = codestring.code(script, tokens, room)
        if effort and view:
            aim = psnr if found is not None and found == tokens else None
            wanted = efforts.Limits(tokens, room, aim)
            payload = efforts.improve(
                effort, order, source.coefficients, rgb, payload, wanted, view
            )
        return payload

    def _psnr_of(self, quality: float, order: Order, rgb: np.ndarray) -> float:
        """Decibels, at most 100, of the linear decoder's picture at that quality."""
        source = Source(order, analyse(colour.to_planes(rgb, order.channels == 1)))
        payload = self._payload(order, source, rgb, (None, None, None, quality))
        known = codestring.read(order, payload).known
        return min(100.0, decibels(decoders.linear(known, (order.width, order.height)), rgb))

    def tokenize(
        self,
        picture: Picture,
        budget: int | None = None,
        *,
        background: Colour = WHITE,
        max_pixels: int | None = MAX_PIXELS,
    ) -> Tokens:
        """A picture to its first `budget` tokens (all of them: None), without any coding."""
        check_limits(budget, None, None)
        rgb = image.to_rgb(picture, background, max_pixels)
        _, order, source = self._open(rgb, bare=True)
        found: list[np.ndarray] = []
        left = order.digits if budget is None else min(order.digits, budget * DIGITS)
        for step in order.passes:
            if left <= 0:
                break
            found.append(source.digits(step)[:left])
            left -= len(found[-1])
        digits = np.concatenate(found) if found else np.zeros(0, np.int8)
        return self._tokens(digits, order)

    def pack(self, tokens: Tokens) -> bytes:
        """Tokens to the shortest stream that determines them all."""
        order = self._order_of(tokens)
        digits = to_digits(tokens.ids)
        if digits[order.digits :].any() or len(digits) - order.digits >= DIGITS:
            raise TokensError(
                f"{len(tokens)} tokens are more than a picture of this size has "
                f"({-(-order.digits // DIGITS)})"
            )
        places = iter(
            np.split(digits[: order.digits], np.cumsum([p.digits for p in order.passes])[:-1])
        )
        script = codestring.Script(order, lambda step: next(places))
        head = self._head(order, bare=False)
        return head + codestring.code(script, None if len(digits) else 0)

    def _open(self, rgb: np.ndarray, bare: bool | str) -> tuple[bytes, Order, Source]:
        """Pixels to header, order and true digits."""
        grey = image.is_grey(rgb)
        order = order_for(self.model, rgb.shape[0], rgb.shape[1], 1 if grey else 3)
        source = Source(order, analyse(colour.to_planes(rgb, grey)))
        return self._head(order, bare), order, source

    def _head(self, order: Order, bare: bool | str, field: bytes = b"") -> bytes:
        if bare is True:
            return b""
        code, model_hash = weights.code_of(self.model)
        extension = ((REFERENCE, field),) if field else ()
        header = Header(code, order.width, order.height, order.channels == 1, model_hash, extension)
        if bare == "size":
            return headers.write_bare(header)
        if bare is not False:
            raise ArgumentError(f"bare must be True, False or 'size', not {bare!r}")
        return headers.write(header, self.model.sha256)

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
        reference: Given | None = None,
    ) -> Image.Image:
        """A stream, or any prefix of one that has the whole header, to a picture at the original
        size.

        Args:
            data: a stream; with `bare=True` flags, size and code string; with `original_size` the
                code string alone.
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
                there.
            reference: what the picture was encoded with; not looked at if the stream stands alone.

        Returns:
            PIL image of mode RGB.

        Raises:
            ReferenceMismatchError: the stream's reference is missing, or was another.
        """
        draw = decoders.find(decoder, realism)
        order, payload, head = self._parse(data, max_pixels, original_size, grey, bare)
        if head and not bare:
            order = references.onto(order, headers.parse(data)[0], reference)
        known = codestring.read(order, payload).known
        return _draw(known, draw, size)

    def detokenize(
        self,
        tokens: Tokens,
        size: Size | None = None,
        *,
        decoder: str | Path = "auto",
        realism: float | None = None,
    ) -> Image.Image:
        """Tokens, all or a prefix, to a picture at the original size, or fitted into `size`;
        `decoder` and `realism` as for `decode`.
        """
        draw = decoders.find(decoder, realism)
        order = self._order_of(tokens)
        digits, known = to_digits(tokens.ids), Knowledge(order)
        if digits[order.digits :].any():
            raise TokensError("more tokens than a picture of this size has")
        for step in order.passes:
            if not len(digits):
                break
            known.add(step, digits[: step.digits])
            digits = digits[step.digits :]
        return _draw(known, draw, size)

    def unpack(self, data: bytes, *, max_pixels: int | None = MAX_PIXELS) -> Tokens:
        """A stream to the whole tokens that it determines."""
        order, payload, _ = self._parse(data, max_pixels)
        if headers.parse(data)[0].reference is not None:
            raise TokensError(
                "this stream's tokens tell what has changed since its reference: decode it instead"
            )
        reading = codestring.read(order, payload, keep=True)
        digits = (
            reading.digits
            if reading.complete
            else reading.digits[: reading.total // DIGITS * DIGITS]
        )
        return self._tokens(digits, order)

    def cut(self, data: bytes, budget: int | None = None, max_bytes: int | None = None) -> bytes:
        """The prefix of a stream that `encode` would have given with these limits; all of it, if it
        is within them already.
        """
        check_limits(budget, max_bytes, None)
        data = bytes(data)
        order, payload, head = self._parse(data, None)
        if max_bytes is not None and max_bytes < head:
            raise ArgumentError(f"max_bytes={max_bytes} is smaller than the header ({head} bytes)")
        if budget is not None:
            data = data[: head + codestring.shortest(order, payload, budget)]
        return data[:max_bytes]

    def info(self, data: bytes, count: bool = True, *, max_pixels: int | None = MAX_PIXELS) -> Info:
        """What a stream says of itself; `count=False` reads the header only."""
        order, payload, head = self._parse(data, max_pixels if count else None, build=count)
        reading = codestring.read(order, payload) if count else None
        header, _ = headers.parse(data)
        whole = None
        if reading:
            whole = -(-reading.total // DIGITS) if reading.complete else reading.total // DIGITS
        return Info(
            self.model.name, self.model.id, header.width, header.height, header.grey,
            len(data), head,
            8 * len(data) / (header.width * header.height),
            whole, reading.total if reading else None, reading.complete if reading else None,
            reference=references.named(header),
        )  # fmt: skip

    # ---- many

    def encode_batch(
        self, pictures: Iterable[Picture], budget: int | str | None = None, **options
    ) -> list[bytes]:
        """`encode` for each picture, in order."""
        return [self.encode(p, budget, **options) for p in pictures]

    def decode_batch(
        self, streams: Sequence[bytes], size: Size | None = None, **options
    ) -> list[Image.Image]:
        """`decode` for each stream, in order."""
        return [self.decode(s, size, **options) for s in streams]

    # ---- helpers

    def _parse(
        self,
        data: bytes,
        max_pixels: int | None,
        original_size: Size | None = None,
        grey: bool = False,
        bare: bool = False,
        build: bool = True,
    ) -> tuple[Order, bytes, int]:
        """Stream to order, code string and length of the header; every check comes before anything
        large.
        """
        data = as_bytes(data)
        if original_size is not None:
            header, length = Header(0, *check_size(original_size), grey), 0
        else:
            header, length = headers.parse(data, bare)
            if not bare:
                self._check_model(header, data[:length])
        image.check_size(header.width, header.height, max_pixels)
        order = (
            order_for(self.model, header.height, header.width, 1 if header.grey else 3)
            if build
            else None
        )
        return order, data[length:], length  # type: ignore[return-value]

    def _check_model(self, header: Header, head: bytes) -> None:
        if (header.model, header.hash) != weights.code_of(self.model):
            raise ModelMismatchError(
                f"the stream was written by another model than {self.model.name}; "
                "decode it with tokcodec.decode"
            )
        headers.check(head, self.model.sha256)

    def _order_of(self, tokens: Tokens) -> Order:
        if tokens.model != self.model.id:
            raise ModelMismatchError(
                f"the tokens belong to the model {tokens.model[:16]}..., not to {self.model.name}"
            )
        width, height = check_size(tokens.size)
        return order_for(self.model, height, width, 1 if tokens.grey else 3)

    def _tokens(self, digits: np.ndarray, order: Order) -> Tokens:
        return Tokens(
            to_ids(digits), self.model.id, (order.width, order.height), order.channels == 1
        )


def _draw(known: Knowledge, draw: decoders.Decoder, size: Size | None) -> Image.Image:
    """What is known to a picture at the original size, or inside the frame `size`."""
    whole = known.order.width, known.order.height
    wanted = whole if size is None else geometry.fit(whole, check_size(size))
    drawn = Image.fromarray(draw(known, wanted))
    return drawn if drawn.size == wanted else drawn.resize(wanted, Image.Resampling.LANCZOS)


def _tightest(*limits: int | None) -> int | None:
    return min((v for v in limits if v is not None), default=None)


def load(
    name_or_path: str | Path = "default",
    *,
    device: Any = None,
    dtype: Any = None,
    prior: str | Path | None = None,
) -> Codec | RegisterCodec:
    """The codec of a model.

    Args:
        name_or_path: a name that `models()` lists ("default" is "pyramid"), the path of a model's
            file, "hf-hub:owner/name", or the folder or file of a published tokenizer's checkpoint
            (docs/guides/register.md).
        device, dtype: where and in which precision a register tokenizer works: "cpu" (None) or
            "cuda", "float32" (None) or "bfloat16".
        prior: of a register tokenizer: file of `tokcodec train prior` or `register-prior`.

    Raises:
        UnknownModelError: no such name, no such file.
        InputError: it cannot be read or downloaded.
        DamagedModelError: the file is no sound model file.
        ArgumentError: the device or precision makes no sense here, or a package is missing.
    """
    shipped = str(name_or_path) in ("default", *weights.SHIPPED)
    if not shipped and names_tokenizer(name_or_path):
        try:
            from tokcodec.register.load import load as load_tokenizer
        except ImportError:
            raise ArgumentError(
                "register tokenizers need torch: pip install 'tokcodec[neural]'"
            ) from None
        return load_tokenizer(name_or_path, device, dtype, prior)
    if any(option is not None for option in (device, dtype, prior)):
        raise ArgumentError(
            "device, dtype and prior are for register tokenizers; a pyramid needs none"
        )
    return Codec(weights.open_model(name_or_path))


def codec_for(data: bytes) -> Codec | RegisterCodec:
    """The codec that a stream asks for in its header."""
    header, _ = headers.parse(as_bytes(data))
    return codec_of(weights.model_for(header))


def codec_of(model: weights.AnyModel) -> Codec | RegisterCodec:
    """A model, of whatever family, with its verbs."""
    if isinstance(model, Model):
        return Codec(model)
    from tokcodec.register.codec import RegisterCodec
    from tokcodec.register.model import RegisterModel

    return RegisterCodec(cast(RegisterModel, model))
