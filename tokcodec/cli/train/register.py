"""`tokcodec train register`: a configuration and photographs to a register tokenizer's file."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, cast

from tokcodec.cli.train import options
from tokcodec.errors import ArgumentError
from tokcodec.train.config import check_numbers, for_card, made, origin, read_config

TOKENIZER = "register.safetensors"
SIZES = (
    {"side": 64, "batch": 32, "share": 0.4},
    {"side": 96, "height": 64, "batch": 32, "share": 0.6},
)


@dataclass(frozen=True)
class Config:
    """What a configuration file (TOML) may say; docs/training.md explains each.

    `network` is a size and what differs from it (`register.own.shape.shape_from`), `sizes` are
    `Sizes`, `schedule` is a `Schedule` (of `plan.MINUTES`, if it does not say how long), `aims` are
    `Aims`, each as a table.
    """

    seed: int = 0
    workers: int = 1  # processes that read photographs
    grey: float = 0.06  # share of crops without colour
    drawn: float = 0.04  # share of drawings instead: text, shapes, patterns, gradients
    shrink: float = 1.5  # by how much photographs are scaled down at least
    start: int = 16  # batches from which the linear codec is made that training begins with
    check_count: int = 48  # held-out photographs
    network: dict[str, Any] = field(default_factory=dict)
    sizes: list[dict[str, Any]] = field(default_factory=lambda: [dict(s) for s in SIZES])
    schedule: dict[str, Any] = field(default_factory=dict)
    aims: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Config:
        """Raises InputError for a file that cannot be read, ArgumentError for what it says."""
        return read_config(cls, path)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec train register`."""
    options.add_arguments(parser, "tokenizer")


def run(args: argparse.Namespace) -> int:
    """Train and write OUT/register.safetensors; 0."""
    options.need_torch()
    import torch

    from tokcodec import devices
    from tokcodec.register.own.shape import shape_from
    from tokcodec.register.own.tokenizer import RegisterTokenizer, write
    from tokcodec.train.distributed import process
    from tokcodec.train.images.crops import held_out, random_crops
    from tokcodec.train.loop import CHECKPOINT, steps_before, train
    from tokcodec.train.plan import plan, seed_of
    from tokcodec.train.register.tokenizer import Aims, RegisterTask, begun, started

    config = Config.read(args.config) if args.config else Config()
    try:
        shape = shape_from(config.network)
        sizes, schedule = plan(config.sizes, config.schedule, args.minutes)
        aims = made(Aims, config.aims, "aims")
        if config.start < 1 or config.check_count < 1 or not config.shrink > 0:
            raise ValueError("start, check_count and shrink are above 0")
        check_numbers(config)
    except (TypeError, ValueError, AttributeError) as e:
        raise ArgumentError(f"{args.config or 'the configuration'}: {e}") from None
    of = origin(config, schedule, args.start)
    done = steps_before(args.out, args.resume, TOKENIZER, of)
    options.use_threads(args.threads)
    with process(devices.find(args.device)) as (rank, device):
        given = config.grey, config.drawn, config.shrink
        torch.manual_seed(config.seed)  # alike in all processes: they begin with one network
        if (args.out / CHECKPOINT).exists():
            network = begun(args.out / CHECKPOINT)
        elif args.start:
            network = _read(args.start)
        else:
            first = random_crops(args.images, sizes, 0, config.seed, *given)
            network = started(shape, list(islice(first, config.start)))
        if config.network and replace(network.shape, slots=()) != shape:
            raise ArgumentError(
                f"what the run begins with has another [network] than {args.config}: leave it out "
                "there, or begin another run"
            )
        seed = seed_of(config.seed, rank, done)
        torch.manual_seed(seed)
        network.requires_grad_(True).train()
        checks = held_out(args.images, network.side, config.check_count)
        stream = random_crops(args.images, sizes, config.workers, seed + 1, *given)
        task = RegisterTask(network, checks, device, aims)
        trained = train(task, stream, schedule, args.out, device, args.resume, of)
        if rank == 0:
            card = {
                "held_out": trained.checked,
                "images": [p.name for p in args.images],
                "config": for_card(
                    {**asdict(config), "schedule": asdict(schedule), "aims": asdict(aims)}
                ),
                "steps": trained.step,
                "minutes": trained.seconds / 60,
            }
            write(args.out / TOKENIZER, cast(RegisterTokenizer, trained.average), card)
    return 0


def _read(path: Path) -> Any:
    """The network of a tokenizer's file."""
    from tokcodec.register.own.tokenizer import RegisterTokenizer
    from tokcodec.register.published import checkpoint, families
    from tokcodec.register.published.sources import find

    tokenizer = families.build(checkpoint.read(find(path))).tokenizer
    if not isinstance(tokenizer, RegisterTokenizer):
        raise ArgumentError(f"{path} was not trained by tokcodec: it cannot be trained further")
    return tokenizer
