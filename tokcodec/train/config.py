"""A configuration file (TOML) to what a trainer is told, and to what its results say of it."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, fields
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

from tokcodec import files
from tokcodec.errors import ArgumentError, InputError

T = TypeVar("T")
START = "--start"  # in an origin, what stands for the weights that a run began with
MAX_SEED, MAX_WORKERS = (1 << 32) - 1, 256
RATES = 0.015, 3.0  # digits a pixel: of 256x256 pixels, some 50 to 6,000 bytes
KINDS = {
    bool: "true or false", int: "a whole number", float: "a number", str: "a text",
    list: "a list", dict: "a table",
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


def made(kind: type[T], table: Mapping[str, Any], what: str) -> T:
    """A dataclass of a table, in which every value is of the kind that is usual there.

    Raises:
        ArgumentError: it is not, or there is no such name; begins with `what`.
    """
    known = {f.name: f for f in fields(cast(Any, kind))}
    if unknown := set(table) - known.keys():
        raise ArgumentError(f"{what}: nothing is called {', '.join(sorted(unknown))} here")
    for name, value in table.items():
        check_kind(f"{what}: {name}", value, _usual(known[name]))
    return kind(**table)


def _usual(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def check_kind(what: str, value: Any, usual: Any) -> None:
    """Raise ArgumentError unless a value is of the same kind as the usual one, if there is one;
    numbers are finite, and never negative.
    """
    if usual is None:
        return
    kind = list if isinstance(usual, tuple) else type(usual)
    kinds = (float, int) if kind is float else (list, tuple) if kind is list else (kind,)
    if not isinstance(value, kinds) or isinstance(value, bool) != (kind is bool):
        raise ArgumentError(f"{what} is {KINDS[kind]}, not {value!r:.60}")
    if isinstance(value, (int, float)) and not 0 <= value < math.inf:
        raise ArgumentError(f"{what} is a finite number from 0, not {value!r}")


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
    numbers = [n for n in rates if isinstance(n, (int, float)) and 0 < n < math.inf]
    if len(rates) != 2 or numbers != sorted(rates):
        raise ValueError(f"rates are two numbers above 0, the smaller first, not {rates}")
