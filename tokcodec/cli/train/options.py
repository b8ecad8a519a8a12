"""Arguments that trainers have in common."""

from __future__ import annotations

import argparse
import math
import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokcodec.errors import ArgumentError
from tokcodec.terminal import say
from tokcodec.train.config import MAX_SEED

MAX_THREADS = 1024


def add_arguments(parser: argparse.ArgumentParser, start: str) -> None:
    """Those of a trainer with a configuration, which may begin with the weights of a `start`."""
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


def told(args: argparse.Namespace, kind: type[Any]) -> dict[str, Any]:
    """What a trainer with a configuration, of this kind, is told; has torch use --threads."""
    config = kind.read(args.config) if args.config else kind()
    use_threads(args.threads)
    said = {"named": str(args.config)} if args.config else {}
    names = "images", "out", "start", "resume", "minutes", "device"
    return {"config": config} | said | {name: getattr(args, name) for name in names}


def say_result(path: Path) -> None:
    """Say where a run's result is; the first of several processes does."""
    from tokcodec.train.checkpoint import LOG
    from tokcodec.train.loop import PLOT

    if os.environ.get("RANK", "0") == "0":
        say(f"{path}; {path.with_name(LOG)} and {path.with_name(PLOT)} tell how it went")


def amounts(args: argparse.Namespace, count: int, batch: int) -> tuple[int, int]:
    """How many pictures to learn from and how many at once: as said, or `count` and `batch`.

    Raises:
        ArgumentError: one of them, or the minutes, is not above 0, or endless, or the seed below.
    """
    count = count if args.count is None else args.count
    batch = batch if args.batch is None else args.batch
    if not 0 < args.minutes < math.inf or count < 1 or batch < 1 or not 0 <= args.seed <= MAX_SEED:
        raise ArgumentError(f"minutes, count and batch are above 0, seed lies in 0..{MAX_SEED}")
    return count, batch


def need_torch() -> None:
    """Raises ArgumentError where torch is not installed."""
    if find_spec("torch") is None:
        raise ArgumentError("training needs torch: pip install 'tokcodec[neural]'")


def use_threads(number: int | None) -> None:
    """Have torch use so many threads, if a number is given.

    Raises:
        ArgumentError: the number has no meaning.
    """
    import torch

    if number is None:
        return
    if not 1 <= number <= MAX_THREADS:
        raise ArgumentError(f"threads lies in 1..{MAX_THREADS}, not {number}")
    torch.set_num_threads(number)
