"""Names, codes and hashes to models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

from tokcodec import weights
from tokcodec.errors import ModelMismatchError, UnknownModelError
from tokcodec.model import FAMILY, HASHED, Model, load_model
from tokcodec.register import shipped as tokenizers
from tokcodec.register.checkpoints.catalogue import PUBLISHED
from tokcodec.register.checkpoints.sources import published
from tokcodec.register.model import RegisterModel
from tokcodec.tokens.tokens import DIGITS, VOCABULARY

DEFAULT = "pyramid-3"
# Name: code in the header. Append only; a code is never given to another model.
PYRAMIDS = {"pyramid-3": 4, "pyramid-4": 5, "pyramid": 1, "pyramid-2": 2}
SHIPPED = PYRAMIDS | tokenizers.CODES
AnyModel: TypeAlias = Model | RegisterModel

_opened: dict[bytes, AnyModel] = {}  # models loaded by path or from the hub, by identity


@dataclass(frozen=True)
class ModelInfo:
    """What `models()` says of a model.

    Attributes:
        name: as `tokcodec.load` takes it.
        family: pyramid, register, titok, one-d-piece or flextok.
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
    ours = [_info(name) for name in SHIPPED]
    ids = {model.name: model.id for model in list(_opened.values())}
    return ours + [
        ModelInfo(
            p.name, p.family, HASHED, ids.get(p.name, ""), p.vocabulary, len(p.levels), p.about,
            p.hub, p.licence, p.tokens, p.fixed,
        )
        for p in PUBLISHED
    ]  # fmt: skip


def _info(name: str) -> ModelInfo:
    """What is to be said of a shipped model."""
    code, model = SHIPPED[name], _shipped(name)
    if isinstance(model, Model):
        about = model.card.get("about", "")
        return ModelInfo(name, FAMILY, code, model.id, VOCABULARY, DIGITS, about)
    net, about = model.tokenizer, tokenizers.about(name)
    digits = len(net.levels)
    return ModelInfo(
        name, model.family, code, model.id, net.vocabulary, digits, about, tokens=net.length
    )


@cache
def shipped(name: str) -> Model:
    """A pyramid that comes with tokcodec, by name."""
    return load_model(weights.path(f"{name}.safetensors"), name)


def _shipped(name: str) -> AnyModel:
    """A model that comes with tokcodec, of whatever family."""
    return shipped(name) if name in PYRAMIDS else tokenizers.shipped(name)


def open_model(name_or_path: str | Path) -> Model:
    """A pyramid by its name ("default" is the best for most), or by the path of its file.

    Raises:
        UnknownModelError: there is no such name, and no such file; or it names a tokenizer.
        InputError, DamagedModelError: the file cannot be read, or is no sound model file.
    """
    name = str(name_or_path)
    if name == "default":
        name = DEFAULT
    if name in PYRAMIDS:
        return shipped(name)
    if name in tokenizers.CODES or published(name):
        raise UnknownModelError(
            f"{name} is a register tokenizer; a pyramid is wanted here: one of default, "
            f"{', '.join(PYRAMIDS)}, or the path of a model file"
        )
    path = Path(name_or_path)
    if not path.is_file():
        raise UnknownModelError(
            f"no model {name[:80]!r}: give one of default, {', '.join(SHIPPED)}, another one that "
            "`tokcodec models` lists, or the path of a model file"
        )
    model = load_model(path)
    keep(model)
    return model


def keep(model: AnyModel) -> None:
    """Remember a model, so that streams which name it can be read. Of several with one identity,
    which may differ in device and precision, the last counts.
    """
    _opened[model.sha256] = model


def in_words(code: int, model_hash: bytes) -> str:
    """The model that a stream's header names, whether it is known or not."""
    known = next((name for name, own in SHIPPED.items() if own == code), None)
    return known or (f"that of hash {model_hash.hex()}..." if model_hash else f"number {code}")


def model_for(code: int, model_hash: bytes) -> AnyModel:
    """The model that a stream's header names by its code and, if that is `HASHED`, its hash.

    Raises:
        UnknownModelError: it is not shipped, and no model with that hash was loaded.
    """
    for name, known in SHIPPED.items():
        if code == known:
            return _in_use(name)
    if code == HASHED:
        for sha256, model in list(_opened.items()):  # other threads may add to it
            if sha256[:4] == model_hash:
                return model
        raise UnknownModelError(
            f"the stream needs the model {model_hash.hex()}...: load its file, or name it "
            "(model=PATH, --model PATH)"
        )
    raise UnknownModelError(f"the stream names model {code}, unknown to this tokcodec; update it")


def _in_use(name: str) -> AnyModel:
    """A shipped model; a tokenizer on the device and in the precision it was loaded for last."""
    model = _shipped(name)
    return model if isinstance(model, Model) else _opened.get(model.sha256, model)


def by_id(identity: str) -> AnyModel:
    """The model of that identity (64 hexadecimal digits), shipped or loaded.

    Raises:
        ModelMismatchError: there is none.
    """
    for name in SHIPPED:
        if _shipped(name).id == identity:
            return _in_use(name)
    for model in list(_opened.values()):
        if model.id == identity:
            return model
    raise ModelMismatchError(
        f"the tokens belong to the model {identity[:16]}..., which is not loaded: load its file "
        "first"
    )


def code_of(model: AnyModel) -> tuple[int, bytes]:
    """Model code and hash bytes for a header. One that is not shipped is kept, so that streams of
    it can be read from then on.
    """
    for name, code in SHIPPED.items():
        if _shipped(name).sha256 == model.sha256:
            return code, b""
    _opened.setdefault(model.sha256, model)
    return HASHED, model.sha256[:4]
