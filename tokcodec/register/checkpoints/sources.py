"""A model's name, folder or file to the files that a tokenizer is read from. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from tokcodec.errors import UnknownModelError
from tokcodec.register import shipped
from tokcodec.register.checkpoints import hub, shards
from tokcodec.register.checkpoints.catalogue import Published, by_address, by_name

SAFE = ".safetensors"
PICKLED = (".bin", ".pt", ".pth")
CONFIGS = (".json", ".yaml", ".yml")
USUAL = ("model.safetensors", "pytorch_model.bin")  # names that decide where there are several
ROOMS = ("encoder.", "decoder.", "quantize.", "vae.")  # what names of tensors begin with


@dataclass(frozen=True)
class Files:
    """Where a checkpoint lies.

    Attributes:
        name: what to call it.
        weights: the file of tensors, or the index of several.
        shards: these several, in the order of their names.
        config: the file of its configuration, if there is one.
        sha256: what the hub says the weights' hash is, in hexadecimal, where it says so.
    """

    name: str
    weights: Path
    config: Path | None = None
    sha256: str | None = None
    shards: tuple[Path, ...] = ()

    @property
    def all(self) -> list[Path]:
        """Every file that the tokenizer depends on."""
        return [self.weights, *self.shards, *([self.config] if self.config else [])]


def names_tokenizer(name_or_path: str | Path) -> bool:
    """Whether this is a name or path of a register tokenizer, not of a pyramid's model."""
    path = Path(name_or_path)
    if str(name_or_path) in shipped.CODES:
        return True
    if str(name_or_path).startswith(hub.PREFIX) or published(name_or_path) or path.is_dir():
        return True
    if not path.is_file():
        return False
    return (
        path.suffix in PICKLED
        or shards.is_index(path)
        or (path.suffix == SAFE and _has_rooms(path))
    )


def published(name_or_path: str | Path) -> Published | None:
    """The entry of the table of published tokenizers that a name stands for."""
    name = str(name_or_path)
    if name.startswith(hub.PREFIX):
        return by_address(name.removeprefix(hub.PREFIX))
    return by_name(name)


def find(name_or_path: str | Path) -> Files:
    """The files of a tokenizer; those on the hub are downloaded, if they are not here yet.

    Raises:
        UnknownModelError: there are none, or several and no way to tell which.
        InputError: the hub cannot be reached, and nothing is cached.
    """
    name = str(name_or_path)
    if name in shipped.CODES:
        return Files(name, shipped.weights_of(name))
    known = published(name)
    if known is not None or name.startswith(hub.PREFIX):
        address = name.removeprefix(hub.PREFIX)
        if known is not None:  # as it is spelt there
            address = "".join([known.hub, *address.partition("@")[1:]])
        weights, config = hub.fetch(address)
        short = known.name if known is not None else address.split("/")[-1]
        return Files(short, weights, config, hub.announced(weights), _shards(weights))
    path = Path(name_or_path)
    if path.is_dir():
        return _in_folder(path)
    if path.is_file() and shards.is_index(path):
        return _of_index(path)
    if path.is_file():
        beside = [path.with_suffix(s) for s in CONFIGS] + [path.with_name(hub.CONFIG)]
        return Files(path.stem, path, next((p for p in beside if p.is_file()), None))
    raise UnknownModelError(f"no model {name!r}: there is no such file or folder")


def _in_folder(folder: Path) -> Files:
    present = sorted(p for p in folder.iterdir() if p.is_file())
    if folder / shards.INDEX in present and folder / USUAL[0] not in present:
        return _of_index(folder / shards.INDEX)
    usual = [folder / n for n in USUAL if folder / n in present]
    kinds = [[p for p in present if p.suffix == SAFE], [p for p in present if p.suffix in PICKLED]]
    weights = usual[:1] or next((kind for kind in kinds if kind), [])
    if len(weights) != 1:
        said = ", ".join(p.name for p in weights) or "none"
        raise UnknownModelError(
            f"the folder {folder} must hold one file of weights ({SAFE} or {PICKLED[0]}); "
            f"found {said}"
        )
    return Files(folder.resolve().name, weights[0], _config(present))


def _of_index(index: Path) -> Files:
    present = sorted(p for p in index.parent.iterdir() if p.is_file())
    name = index.resolve().parent.name
    return Files(name, index, _config(present), shards=_shards(index))


def _shards(weights: Path) -> tuple[Path, ...]:
    """The files of an index; none of a file that is none."""
    if not shards.is_index(weights):
        return ()
    return tuple(sorted(set(shards.listed(weights).values())))


def _config(present: list[Path]) -> Path | None:
    """The configuration among the files of a folder."""
    configs = [p for p in present if p.suffix in CONFIGS and not p.name.endswith(".index.json")]
    usual = [p for p in configs if p.name == hub.CONFIG]
    return next(iter(usual or (configs if len(configs) == 1 else [])), None)


def _has_rooms(path: Path) -> bool:
    try:
        with safe_open(path, "np") as file:
            return any(k.startswith(ROOMS) for k in file.keys())  # noqa: SIM118
    except (SafetensorError, OSError):
        return False
