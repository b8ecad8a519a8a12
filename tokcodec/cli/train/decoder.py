"""`tokcodec train decoder`: a configuration and photographs to a decoder's file."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from tokcodec.cli.train import options
from tokcodec.errors import ArgumentError
from tokcodec.train.config import (
    RATES,
    check_numbers,
    check_rates,
    for_card,
    made,
    origin,
    read_config,
)

DECODER = "decoder.safetensors"
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec train decoder`."""
    options.add_arguments(parser, "decoder")


def run(args: argparse.Namespace) -> int:
    """Train and write OUT/decoder.safetensors; 0."""
    options.need_torch()
    import torch

    from tokcodec import devices
    from tokcodec.decoders.network import Network, Shape
    from tokcodec.decoders.torch_file import card as about
    from tokcodec.decoders.torch_file import read, write
    from tokcodec.registry import open_model
    from tokcodec.tokens.wavelet import COARSEST
    from tokcodec.train.decoder.fidelity import DecoderTask
    from tokcodec.train.decoder.realism import Realism
    from tokcodec.train.distributed import process
    from tokcodec.train.images.crops import held_out, random_crops
    from tokcodec.train.loop import steps_before, train
    from tokcodec.train.plan import plan, seed_of

    config = Config.read(args.config) if args.config else Config()
    try:
        shape = Shape.from_json(json.dumps({**asdict(Shape()), **config.network}))
        sizes, schedule = plan(config.sizes, config.schedule, args.minutes)
        realism = None if config.realism is None else made(Realism, config.realism, "realism")
        if realism is not None:
            sizes = realism.usable(sizes)
        if config.check_side <= COARSEST or config.check_count < 1 or not config.shrink > 0:
            raise ValueError(f"check_side is above {COARSEST}, check_count and shrink above 0")
        check_rates(config.rates)
        check_numbers(config)
    except (TypeError, ValueError, KeyError, AttributeError) as e:
        raise ArgumentError(f"{args.config or 'the configuration'}: {e}") from None
    model = open_model(config.model)
    of = origin(config, schedule, args.start) | {"tokens": model.tokens_id}
    done = steps_before(args.out, args.resume, DECODER, of)
    options.use_threads(args.threads)
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
        stream = random_crops(args.images, sizes, config.workers, seed, *given)
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
