"""Names, codes and hashes to models; the shipped ones lie beside this file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol

from tokcodec.errors import ModelMismatchError, UnknownModelError
from tokcodec.model import FAMILY, Model, load_model
from tokcodec.register.published import PUBLISHED
from tokcodec.stream.header import HASHED, Header
from tokcodec.tokens.tokens import DIGITS, VOCABULARY

DEFAULT = "pyramid"
# Name: code in the header. Append only; a code is never given to another model.
SHIPPED = {"pyramid": 1, "pyramid-2": 2}


class AnyModel(Protocol):
    """What models of all families have in common."""

    @property
    def name(self) -> str: ...
    @property
    def sha256(self) -> bytes: ...
    @property
    def id(self) -> str: ...


_opened: dict[bytes, AnyModel] = {}  # models loaded by path or from the hub, by identity


@dataclass(frozen=True)
class ModelInfo:
    """What `models()` says of a model.

    Attributes:
        name: as `tokcodec.load` takes it.
        family: pyramid, titok, one-d-piece or flextok.
        code: in a stream's header; 255 for models that are not shipped.
        id: identity, 64 hexadecimal digits; empty until a model from the hub was loaded.
        vocabulary: number of different tokens; digits_per_token: digits that make one.
        about: a line on what it is.
        hub: owner and name on the Hugging Face hub; empty for shipped models.
        licence: terms of the weights; empty for shipped models: those of tokcodec.
        tokens: most tokens of a picture; None where that depends on the picture.
        fixed: all tokens are needed to draw well.
    """

    name: str
    family: str
    code: int
    id: str
    vocabulary: int
    digits_per_token: int
    about: str
    hub: str = ""
    licence: str = ""
    tokens: int | None = None
    fixed: bool = False


def models() -> list[ModelInfo]:
    """The models that come with tokcodec, then published ones that it loads from the hub."""
    ours = [
        ModelInfo(
            name,
            FAMILY,
            code,
            shipped(name).id,
            VOCABULARY,
            DIGITS,
            shipped(name).card.get("about", ""),
        )
        for name, code in SHIPPED.items()
    ]
    ids = {model.name: model.id for model in _opened.values()}
    return ours + [
        ModelInfo(
            p.name, p.family, HASHED, ids.get(p.name, ""), p.vocabulary, len(p.levels), p.about,
            p.hub, p.licence, p.tokens, p.fixed,
        )
        for p in PUBLISHED
    ]  # fmt: skip


@cache
def shipped(name: str) -> Model:
    """A model that comes with tokcodec, by name."""
    return load_model(Path(__file__).parent / f"{name}.safetensors", name)


def open_model(name_or_path: str | Path) -> Model:
    """A model by its name ("default" is the best for most), or by the path of its file.

    Raises:
        UnknownModelError: there is no such name, and no such file.
        InputError, DamagedModelError: the file cannot be read, or is no sound model file.
    """
    name = str(name_or_path)
    if name == "default":
        name = DEFAULT
    if name in SHIPPED:
        return shipped(name)
    path = Path(name_or_path)
    if not path.is_file():
        raise UnknownModelError(
            f"no model {name!r}: give one of default, {', '.join(SHIPPED)}, "
            "or the path of a model file"
        )
    model = load_model(path)
    keep(model)
    return model


def keep(model: AnyModel) -> None:
    """Remember a model, so that streams which name it can be read. Of several with one identity,
    which may differ in device and precision, the last counts.
    """
    _opened[model.sha256] = model


def model_for(header: Header) -> AnyModel:
    """The model that a stream's header names.

    Raises:
        UnknownModelError: it is not shipped, and no model with that hash was loaded.
    """
    for name, code in SHIPPED.items():
        if header.model == code:
            return shipped(name)
    if header.model == HASHED:
        for sha256, model in _opened.items():
            if sha256[:4] == header.hash:
                return model
        raise UnknownModelError(
            f"the stream needs the model {header.hash.hex()}...: load its file, or pass model=PATH"
        )
    raise UnknownModelError(
        f"the stream names model {header.model}, unknown to this tokcodec; update it"
    )


def by_id(identity: str) -> AnyModel:
    """The model of that identity (64 hexadecimal digits), shipped or loaded."""
    for name in SHIPPED:
        if shipped(name).id == identity:
            return shipped(name)
    for model in _opened.values():
        if model.id == identity:
            return model
    raise ModelMismatchError(
        f"the tokens belong to the model {identity[:16]}..., which is not loaded; "
        "load its file first"
    )


def code_of(model: AnyModel) -> tuple[int, bytes]:
    """Model code and hash bytes for a header."""
    for name, code in SHIPPED.items():
        if shipped(name).sha256 == model.sha256:
            return code, b""
    _opened.setdefault(model.sha256, model)
    return HASHED, model.sha256[:4]
