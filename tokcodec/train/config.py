"""A configuration file (TOML) to what a trainer is told, and to what its results say of it."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields
from hashlib import sha256
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

from tokcodec import files
from tokcodec.arguments import is_number
from tokcodec.errors import ArgumentError, InputError

T = TypeVar("T")
START = "--start"  # in an origin, what stands for the weights that a run began with
MAX_SEED, MAX_WORKERS = (1 << 32) - 1, 256
RATES = 0.015, 3.0  # digits a pixel: of 256x256 pixels, some 50 to 6,000 bytes
SEVERAL = (list, tuple), "a list"
KINDS: dict[Any, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"), int: ((int,), "a whole number"),
    float: ((float, int), "a number"), str: ((str,), "a text"), dict: ((dict,), "a table"),
    list: SEVERAL, tuple: SEVERAL, Sequence: SEVERAL,
}  # fmt: skip


def read_config(kind: type[T], path: Path) -> T:
    """A configuration file to its dataclass.

    Raises:
        InputError: it cannot be read.
        ArgumentError: it says something unknown, or of another kind.
    """
    try:
        found = tomllib.loads(files.read(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise InputError(f"{path} is no TOML: {e}") from e
    return made(kind, found, str(path))


def made(kind: type[T], table: Mapping[str, Any], what: str, own_limits: bool = False) -> T:
    """A dataclass of a table, in which every value is of the kind that its field says.

    Args:
        what: the table, as errors call it; they begin with it.
        own_limits: whether the dataclass itself says which numbers it takes; else they are finite,
            and never negative.

    Raises:
        ArgumentError: a value is of another kind or beyond limits, a name is unknown or missing.
    """
    if not isinstance(table, Mapping):
        raise ArgumentError(f"{what} is a table, not {table!r:.60}")
    known, hints = fields(cast(Any, kind)), get_type_hints(kind)
    if unknown := set(table) - hints.keys():
        raise ArgumentError(f"{what}: nothing is called {', '.join(sorted(unknown))} here")
    for f in known:
        if f.name not in table and f.default is f.default_factory is MISSING:
            raise ArgumentError(f"{what}: {f.name} is missing")
    for name, value in table.items():
        _check_kind(f"{what}: {name}", value, hints[name])
        if not own_limits and isinstance(value, (int, float)) and not 0 <= value < math.inf:
            raise ArgumentError(f"{what}: {name} is a finite number from 0, not {value!r:.40}")
    return kind(**table)


def _check_kind(what: str, value: Any, hint: Any) -> None:
    """Raise ArgumentError unless a value is what an annotation says; of a list it is not looked at
    what is inside.
    """
    allowed = get_args(hint) if NoneType in get_args(hint) else (hint,)
    if value is None and NoneType in allowed:
        return
    kind = get_origin(allowed[0]) or allowed[0]
    kinds, called = KINDS[kind]
    if not isinstance(value, kinds) or isinstance(value, bool) != (kind is bool):
        raise ArgumentError(f"{what} is {called}, not {value!r:.60}")


def origin(config: Any, schedule: Any, start: Path | None) -> dict[str, Any]:
    """What a run is of: its configuration, but for how long it takes, how often it is looked at and
    how many processes read, and the weights that it begins with, if they are given.
    """
    free = ("schedule", "workers", "check_count", "check_side", "model")
    told = {k: v for k, v in for_card(asdict(config)).items() if k not in free}
    told |= {k: getattr(schedule, k) for k in ("rate", "last", "decay", "clip", "average")}
    if start is not None:
        told[START] = sha256(files.read(start)).hexdigest() if start.is_file() else str(start)
    return told


def for_card(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration as others may read it: files by their names, not where they lie here."""
    told = {
        key: value | {"features": Path(value["features"]).name}
        if isinstance(value, dict) and value.get("features")
        else value
        for key, value in config.items()
    }
    return told | ({"model": Path(config["model"]).name} if "model" in config else {})


def check_numbers(config: Any) -> None:
    """Refuse a configuration's seed that is beyond what random numbers take, shares of more than
    all, and more processes that read photographs than a machine bears.
    """
    if config.seed > MAX_SEED:
        raise ArgumentError(f"seed lies in 0..{MAX_SEED}, not {config.seed}")
    if max(config.grey, config.drawn) > 1:
        raise ArgumentError("grey and drawn are shares of the crops, in 0..1")
    if config.workers > MAX_WORKERS:
        raise ArgumentError(f"workers is at most {MAX_WORKERS}, not {config.workers}")


def check_rates(rates: list[float]) -> None:
    """Refuse what is not two numbers of digits a pixel, the smaller first."""
    numbers = [n for n in rates if is_number(n) and 0 < n < math.inf]
    if not len(rates) == len(numbers) == 2 or numbers != sorted(numbers):
        raise ValueError(f"rates are two numbers above 0, the smaller first, not {rates}")
