"""tokcodec under test, by model and by the way it decodes."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

import tokcodec
from benchmarks.codecs import Settings
from tokcodec import decoders
from tokcodec import effort as efforts
from tokcodec.errors import ArgumentError, TokCodecError
from tokcodec.register import shipped
from tokcodec.register.checkpoints.sources import names_tokenizer

OPTION = re.compile(r"(?P<key>decoder|realism|prior|effort)=(?P<value>.+)")
NUMBERS: dict[str, type[int] | type[float]] = {"realism": float, "effort": int}


class TokCodec:
    """One model: `spec` as for `benchmarks.codecs.find`."""

    searched = False

    def __init__(self, spec: str) -> None:
        self.name = spec
        model, self._options = parse(spec)
        try:
            prior = self._options.pop("prior", None)
            self._effort = int(self._options.pop("effort", 0))
            self._codec = tokcodec.load(model, prior=prior)  # type: ignore[arg-type]
            if self._effort:
                efforts.check(self._effort)
                if "effort" not in inspect.signature(self._codec.encode).parameters:
                    raise ArgumentError(f"{model} is encoded without effort")
            known = inspect.signature(self._codec.decode).parameters
            for option in self._options:
                if option not in known:
                    raise ArgumentError(f"decoding takes no {option} in this tokcodec")
            decoder = str(self._options.setdefault("decoder", "auto"))
            decoders.find(decoder, self._options.get("realism"))  # type: ignore[arg-type]
            if decoder == "auto" and not (decoders.SHIPPED.exists() and decoders.best_way()):
                raise ArgumentError(  # rows would be called the network's
                    "nothing here draws it but the linear decoder (the network needs torch or ONNX "
                    f"Runtime): install one, or name what is measured, tokcodec:{model}@linear"
                )
        except TokCodecError as e:
            ways = (
                f'; after "@": {", ".join(decoders.NAMES)}, a file, realism=NUMBER or effort=0..9'
            )
            raise ArgumentError(f'codec "{spec}": {e}{ways if "@" in model else ""}') from e
        more = [f"{k} {v}" for k, v in self._options.items() if k != "decoder"]
        more += [f"effort {self._effort}"] if self._effort else []
        self.version = ", ".join(
            [
                f"tokcodec {tokcodec.__version__}",
                f"model {self._codec.model.id[:8]}{weights_of(model)}",
                drawn_by(decoder),
                *more,
            ]
        )

    def encode(self, image: Image.Image, settings: Settings) -> bytes:
        more: dict[str, int] = {"effort": self._effort} if self._effort else {}
        return self._codec.encode(
            image, max_bytes=int(settings["max_bytes"]), max_pixels=None, **more
        )

    def decode(self, data: bytes, size: tuple[int, int]) -> Image.Image:
        """The size is in the stream; `size` is not needed."""
        return self.reduced(data, None)

    def reduced(self, data: bytes, frame: tuple[int, int] | None) -> Image.Image:
        """Fitted into a frame, without drawing more than that shows."""
        return self._codec.decode(data, frame, max_pixels=None, **self._options)  # type: ignore[arg-type]

    def fitting(
        self, image: Image.Image, max_bytes: int, full_size: bool = False
    ) -> Iterator[tuple[Settings, bytes]]:
        if max_bytes >= self.smallest(image):
            settings: Settings = {"max_bytes": max_bytes}
            yield settings, self.encode(image, settings)

    def smallest(self, image: Image.Image, full_size: bool = False) -> int:
        """The header's length: a stream without any token is the picture's mean."""
        return len(self._codec.encode(image, budget=0, max_pixels=None))


def parse(spec: str) -> tuple[str, dict[str, str | float]]:
    """Model and options, of decoding: "tokcodec:MODEL@linear", "tokcodec:MODEL@realism=0.5",
    "tokcodec:MODEL@run/decoder.safetensors", "tokcodec:TOKENIZER@prior=FILE"; and one of encoding,
    "tokcodec:MODEL@effort=6".

    Options are taken from the end, as long as they look like one: a path or hub name may hold "@"
    and ":" itself.
    """
    model = spec.removeprefix("tokcodec").removeprefix(":")
    options: dict[str, str | float] = {}
    while "@" in model and not Path(model).is_file():
        rest, _, last = model.rpartition("@")
        found = OPTION.fullmatch(last)
        if found:
            key, value = found["key"], found["value"]
        elif last in decoders.NAMES or last.endswith(decoders.SUFFIXES):
            key, value = "decoder", last
        else:
            break
        if key in options:
            raise ArgumentError(f'codec "{spec}" has two of "{key}"')
        options[key] = _number(spec, key, value) if key in NUMBERS else value
        model = rest
    return model or "default", options


def weights_of(model: str) -> str:
    """Of a register tokenizer's file, what it holds: formats differ where the identity does not."""
    path = shipped.weights_of(model) if model in shipped.CODES else Path(model)
    return f" ({digest(path)})" if path.is_file() and names_tokenizer(model) else ""


def digest(path: Path) -> str:
    """Eight hexadecimal digits of a file's contents."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def drawn_by(decoder: str) -> str:
    """A decoder's name, and of a trained one what its file holds: other weights, other rows."""
    path, how = Path(decoder), ""
    if decoder in ("auto", "neural"):
        path = decoders.SHIPPED
    elif decoder == decoders.ONNX:
        path, how = decoders.SHIPPED, " by ONNX Runtime"
    elif not decoder.endswith(decoders.SUFFIXES):
        return decoder
    return f"{path.stem} {digest(path)}{how}"


def _number(spec: str, key: str, text: str) -> float:
    try:
        return NUMBERS[key](text)
    except ValueError:
        raise ArgumentError(f'codec "{spec}": "{text}" is no {key}') from None
