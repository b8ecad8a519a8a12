"""`tokcodec train decoder`: a configuration and photographs to a decoder's file."""

from __future__ import annotations

import argparse
import json
import math
import tomllib
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

from tokcodec import files
from tokcodec.errors import ArgumentError, InputError

T = TypeVar("T")
DECODER = "decoder.safetensors"
MOST_SEED, MOST_THREADS, MOST_WORKERS = (1 << 32) - 1, 1024, 256
RATES = 0.015, 3.0  # digits a pixel: of 256x256 pixels, some 50 to 6,000 bytes
SIZES = (
    {"side": 128, "batch": 8, "share": 0.6},
    {"side": 192, "batch": 4, "share": 0.3},
    {"side": 192, "height": 12, "batch": 16, "share": 0.1},
)


@dataclass(frozen=True)
class Config:
    """What a configuration file (TOML) may say; docs/training.md explains each.

    `network` is a `Shape`, `sizes` are `Sizes`, `schedule` is a `Schedule` (of `plan.MINUTES`, if
    it does not say how long), `realism`, if it is there, a `Realism`, each as a table.
    """

    model: str = "default"  # whose streams it will decode: a name, or the path of a model file
    seed: int = 0
    workers: int = 1  # processes that read photographs
    grey: float = 0.06  # share of crops without colour
    drawn: float = 0.08  # share of drawings instead: text, shapes, patterns, gradients
    shrink: float = 1.5  # by how much photographs are scaled down at least: JPEG's traces vanish
    rates: list[float] = field(default_factory=lambda: list(RATES))  # digits a pixel of most cuts
    check_side: int = 256  # pixels a side of the held-out photographs to check with
    check_count: int = 24
    network: dict[str, Any] = field(default_factory=dict)
    sizes: list[dict[str, Any]] = field(default_factory=lambda: [dict(s) for s in SIZES])
    schedule: dict[str, Any] = field(default_factory=dict)
    realism: dict[str, Any] | None = None  # without: only squared error counts

    @classmethod
    def read(cls, path: Path) -> Config:
        """Raises InputError for a file that cannot be read, ArgumentError for what it says."""
        return read_config(cls, path)


def read_config(kind: type[T], path: Path) -> T:
    """A configuration file to its dataclass; raises as `Config.read` does."""
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except OSError as e:
        raise InputError(f"cannot read {path}: {e.strerror or e}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise InputError(f"{path} is no TOML: {e}") from e
    if unknown := set(found) - {f.name for f in fields(cast(Any, kind))}:
        raise ArgumentError(f"{path}: nothing is called {', '.join(sorted(unknown))} here")
    for name, usual in asdict(cast(Any, kind())).items():
        _check(f"{path}: {name}", found.get(name, usual), usual)
    return kind(**found)


def _check(what: str, value: Any, usual: Any) -> None:
    """Raise unless a value is of the kind that is usual there; numbers are never negative."""
    kinds = (float, int) if isinstance(usual, float) else (type(usual),)
    if usual is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
        named = {float: "a number", int: "a whole number", str: "a text", list: "a list"}
        raise ArgumentError(f"{what} is {named.get(kinds[0], 'a table')}, not {value!r}")
    if isinstance(usual, (int, float)) and not 0 <= value < math.inf:
        raise ArgumentError(f"{what} is a finite number from 0, not {value!r}")


def add_arguments(parser: argparse.ArgumentParser, start: str = "decoder") -> None:
    """The arguments of `tokcodec train decoder`, and of every trainer like it, which may begin with
    the weights of a `start`.
    """
    parser.add_argument("--config", type=Path, help="TOML; see docs/training.md")
    parser.add_argument(
        "--images", type=Path, nargs="+", required=True, help="tar files, folders or pictures"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument("--start", type=Path, help=f"begin with the weights of this {start}")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1")
    parser.add_argument("--minutes", type=float, help="of training, instead of the configuration's")
    parser.add_argument("--threads", type=int, help="of torch, on a CPU")


def run(args: argparse.Namespace) -> int:
    """Train and write OUT/decoder.safetensors; 0."""
    try:
        import torch
    except ImportError:
        raise ArgumentError("training needs torch: pip install torch") from None
    from tokcodec import devices
    from tokcodec.decoders.files import card as about
    from tokcodec.decoders.files import read, write
    from tokcodec.decoders.network import Network, Shape
    from tokcodec.tokens.wavelet import COARSEST
    from tokcodec.train.decoder import DecoderTask
    from tokcodec.train.loop import steps_before, train
    from tokcodec.train.photographs import batches, held_out
    from tokcodec.train.plan import plan, seed_of
    from tokcodec.train.realism import Realism
    from tokcodec.train.together import process
    from tokcodec.weights import open_model

    config = Config.read(args.config) if args.config else Config()
    try:
        shape = Shape.from_json(json.dumps({**asdict(Shape()), **config.network}))
        sizes, schedule = plan(config.sizes, config.schedule, args.minutes)
        realism = None if config.realism is None else Realism(**config.realism)
        if config.check_side <= COARSEST or config.check_count < 1 or not config.shrink > 0:
            raise ValueError(f"check_side is above {COARSEST}, check_count and shrink above 0")
        check_rates(config.rates)
        check_numbers(config)
    except (TypeError, ValueError, KeyError, AttributeError) as e:
        raise ArgumentError(f"{args.config or 'the configuration'}: {e}") from None
    model = open_model(config.model)
    of = origin(config, schedule, args.start) | {"tokens": model.tokens_id}
    done = steps_before(args.out, args.resume, DECODER, of)
    use_threads(torch, args.threads)
    with process(devices.find(args.device)) as (rank, device):
        seed = seed_of(config.seed, rank, done)
        torch.manual_seed(seed)
        network = read(args.start) if args.start else Network(shape)
        if any(getattr(network.shape, name) != getattr(shape, name) for name in config.network):
            raise ArgumentError(
                f"{args.start} has another [network] than {args.config}: leave it out there"
            )
        network.requires_grad_(True).train()
        checks = held_out(args.images, config.check_side, config.check_count)
        make = DecoderTask if realism is None else realism.task
        task = make(network, model, checks, device, config.rates)
        given = config.grey, config.drawn, config.shrink
        stream = batches(args.images, sizes, config.workers, seed, *given)
        trained = train(task, stream, schedule, args.out, device, args.resume, of)
        if rank == 0:
            card = {
                "tokens": task.model.tokens_id,
                "held_out": trained.checked,
                "images": [p.name for p in args.images],
                "config": for_card({**asdict(config), "schedule": asdict(schedule)}),
                "steps": trained.step,
                "minutes": trained.seconds / 60,
            }
            if realism is not None:
                card["realism"] = realism.default
            elif args.start and network.shape.realism:  # its blocks are as they were
                card["realism"] = about(args.start).get("realism", 0.0)
            write(args.out / DECODER, cast(Network, trained.average), card)
    return 0


def origin(config: Any, schedule: Any, start: Path | None) -> dict[str, Any]:
    """What a run is of: its configuration, but for how long it takes, how often it is looked at and
    how many processes read, and the weights that it begins with, if they are given.
    """
    free = ("schedule", "workers", "check_count", "check_side", "model")
    told = {k: v for k, v in for_card(asdict(config)).items() if k not in free}
    told |= {k: getattr(schedule, k) for k in ("rate", "last", "decay", "clip", "average")}
    if start is not None:
        told["--start"] = sha256(files.read(start)).hexdigest() if start.is_file() else str(start)
    return told


def for_card(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration as others may read it: files by their names, not where they lie here."""
    return {
        key: value | {"features": Path(value["features"]).name}
        if isinstance(value, dict) and value.get("features")
        else value
        for key, value in config.items()
    }


def amounts(args: argparse.Namespace, count: int, batch: int) -> tuple[int, int]:
    """How many pictures to learn from and how many at once: as said, or `count` and `batch`.

    Raises:
        ArgumentError: one of them, or of the minutes, is not above 0, or the seed is below.
    """
    count = count if args.count is None else args.count
    batch = batch if args.batch is None else args.batch
    if not args.minutes > 0 or count < 1 or batch < 1 or not 0 <= args.seed <= MOST_SEED:
        raise ArgumentError(f"minutes, count and batch are above 0, seed lies in 0..{MOST_SEED}")
    return count, batch


def check_numbers(config: Any) -> None:
    """Refuse a configuration's seed that is beyond what random numbers take, shares of more than
    all, and more processes that read photographs than a machine bears.
    """
    if config.seed > MOST_SEED:
        raise ArgumentError(f"seed lies in 0..{MOST_SEED}, not {config.seed}")
    if max(config.grey, config.drawn) > 1:
        raise ArgumentError("grey and drawn are shares of the crops, in 0..1")
    if config.workers > MOST_WORKERS:
        raise ArgumentError(f"workers is at most {MOST_WORKERS}, not {config.workers}")


def check_rates(rates: list[float]) -> None:
    """Refuse what is not two numbers of digits a pixel, the smaller first."""
    numbers = [n for n in rates if isinstance(n, (int, float)) and 0 < n < math.inf]
    if len(rates) != 2 or numbers != sorted(rates):
        raise ValueError(f"rates are two numbers above 0, the smaller first, not {rates}")


def use_threads(torch: Any, number: int | None) -> None:
    """Have torch use so many threads, if a number is given; raises ArgumentError if it has no
    meaning.
    """
    if number is None:
        return
    if not 1 <= number <= MOST_THREADS:
        raise ArgumentError(f"threads lies in 1..{MOST_THREADS}, not {number}")
    torch.set_num_threads(number)
