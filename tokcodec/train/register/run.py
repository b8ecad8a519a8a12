"""A configuration and photographs to a trained register tokenizer in its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple, cast

import torch

from tokcodec import devices
from tokcodec.errors import ArgumentError
from tokcodec.register.checkpoints import checkpoint, families
from tokcodec.register.checkpoints.sources import find
from tokcodec.register.own.shape import RegisterShape, shape_from
from tokcodec.register.own.tokenizer import RegisterTokenizer, write
from tokcodec.train.card import card_of
from tokcodec.train.checkpoint import CHECKPOINT, steps_before
from tokcodec.train.config import check_numbers, made, origin
from tokcodec.train.distributed import process
from tokcodec.train.images.crops import Sizes, held_out, random_crops
from tokcodec.train.loop import train
from tokcodec.train.plan import plan, seed_of
from tokcodec.train.register.config import TOKENIZER, Config
from tokcodec.train.register.tokenizer import Aims, RegisterTask, begun, started
from tokcodec.train.schedule import Schedule


def train_register(
    config: Config,
    images: Sequence[Path],
    out: Path,
    *,
    start: Path | None = None,
    resume: bool = False,
    minutes: float | None = None,
    device: str = "cpu",
    named: str = "the configuration",
) -> Path:
    """Train a register tokenizer; under `torchrun` every process calls this. Arguments and errors
    as for `train.decoder.run.train_decoder`, `start` a tokenizer's file.

    Returns:
        The tokenizer's file.
    """
    planned = _planned(config, minutes, named)
    of = origin(config, planned.schedule, start)
    done = steps_before(out, resume, TOKENIZER, of)
    with process(devices.find(device)) as (rank, place):
        given = config.grey, config.drawn, config.shrink
        torch.manual_seed(config.seed)  # alike in all processes: they begin with one network
        if (out / CHECKPOINT).exists():
            network = begun(out / CHECKPOINT)
        elif start:
            network = _read(start)
        else:
            first = random_crops(images, planned.sizes, 0, config.seed, *given)
            network = started(planned.shape, list(islice(first, config.start)))
        if config.network and replace(network.shape, slots=()) != planned.shape:
            raise ArgumentError(
                f"what the run begins with has another [network] than {named}: leave it out "
                "there, or begin another run"
            )
        seed = seed_of(config.seed, rank, done)
        torch.manual_seed(seed)
        network.requires_grad_(True).train()
        checks = held_out(images, network.side, config.check_count)
        stream = random_crops(images, planned.sizes, config.workers, seed + 1, *given)
        task = RegisterTask(network, checks, place, planned.aims)
        trained = train(task, stream, planned.schedule, out, place, resume, of)
        if rank == 0:
            tables = {"schedule": planned.schedule, "aims": planned.aims}
            card = card_of(config, images, trained, **tables)
            write(out / TOKENIZER, cast(RegisterTokenizer, trained.average), card)
    return out / TOKENIZER


class _Planned(NamedTuple):
    """A configuration, read."""

    shape: RegisterShape
    sizes: list[Sizes]
    schedule: Schedule
    aims: Aims


def _planned(config: Config, minutes: float | None, named: str) -> _Planned:
    """ArgumentError for what has no meaning."""
    try:
        shape = shape_from(config.network)
        sizes, schedule = plan(config.sizes, config.schedule, minutes)
        aims = made(Aims, config.aims, "aims")
        if config.start < 1 or config.check_count < 1 or not config.shrink > 0:
            raise ValueError("start, check_count and shrink are above 0")
        check_numbers(config)
    except (TypeError, ValueError, AttributeError) as e:
        raise ArgumentError(f"{named}: {e}") from None
    return _Planned(shape, sizes, schedule, aims)


def _read(path: Path) -> RegisterTokenizer:
    """The network of a tokenizer's file."""
    tokenizer = families.build(checkpoint.read(find(path))).tokenizer
    if not isinstance(tokenizer, RegisterTokenizer):
        raise ArgumentError(f"{path} was not trained by tokcodec: it cannot be trained further")
    return tokenizer
