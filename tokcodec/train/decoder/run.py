"""A configuration and photographs to a trained decoder in its file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, cast

import torch

from tokcodec import devices
from tokcodec.decoders.network import Network
from tokcodec.decoders.shape import Shape
from tokcodec.decoders.torch_file import card as card_in
from tokcodec.decoders.torch_file import read, write
from tokcodec.errors import ArgumentError
from tokcodec.registry import open_model
from tokcodec.tokens.wavelet import COARSEST
from tokcodec.train.card import card_of
from tokcodec.train.checkpoint import steps_before
from tokcodec.train.config import check_numbers, check_rates, made, origin
from tokcodec.train.decoder.config import DECODER, Config
from tokcodec.train.decoder.fidelity import DecoderTask
from tokcodec.train.decoder.realism import Realism
from tokcodec.train.distributed import process
from tokcodec.train.images.crops import Sizes, held_out, random_crops
from tokcodec.train.loop import train
from tokcodec.train.plan import plan, seed_of
from tokcodec.train.schedule import Schedule


def train_decoder(
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
    """Train a decoder; under `torchrun` every process calls this.

    Args:
        config: what to train, on what, for how long.
        images: tar files and folders of photographs, or photographs.
        out: folder of the run, with its checkpoint, log, sheets of pictures and the decoder.
        start: a decoder's file to begin with.
        resume: go on with the run that is there.
        minutes: of training, instead of the configuration's.
        device: "cpu", "cuda", "cuda:1".
        named: the configuration, as errors call it.

    Returns:
        The decoder's file.

    Raises:
        ArgumentError: the configuration or an option has no meaning, or does not fit the run; there
            is a run, and `resume` is not said.
        InputError: photographs, weights or checkpoint cannot be read.
        DamagedModelError: a file of weights holds something else.
    """
    planned = _planned(config, minutes, named)
    model = open_model(config.model)
    of = origin(config, planned.schedule, start) | {"tokens": model.tokens_id}
    done = steps_before(out, resume, DECODER, of)
    with process(devices.find(device)) as (rank, place):
        seed = seed_of(config.seed, rank, done)
        torch.manual_seed(seed)
        network = read(start) if start else Network(planned.shape)
        if any(getattr(network.shape, x) != getattr(planned.shape, x) for x in config.network):
            raise ArgumentError(f"{start} has another [network] than {named}: leave it out there")
        network.requires_grad_(True).train()
        checks = held_out(images, config.check_side, config.check_count)
        make = DecoderTask if planned.realism is None else planned.realism.task
        task = make(network, model, checks, place, config.rates)
        given = config.grey, config.drawn, config.shrink
        stream = random_crops(images, planned.sizes, config.workers, seed, *given)
        trained = train(task, stream, planned.schedule, out, place, resume, of)
        if rank == 0:
            card = card_of(config, images, trained, schedule=planned.schedule)
            if planned.realism is not None:
                card["realism"] = planned.realism.default
            elif start and network.shape.realism:  # its blocks of realism were not trained here
                card["realism"] = card_in(start).get("realism", 0.0)
            card["tokens"] = model.tokens_id
            write(out / DECODER, cast(Network, trained.average), card)
    return out / DECODER


class _Planned(NamedTuple):
    """A configuration, read."""

    shape: Shape
    sizes: list[Sizes]
    schedule: Schedule
    realism: Realism | None


def _planned(config: Config, minutes: float | None, named: str) -> _Planned:
    """ArgumentError for what has no meaning."""
    try:
        shape = Shape.from_json(made(Shape, config.network, "network").to_json())
        sizes, schedule = plan(config.sizes, config.schedule, minutes)
        realism = None if config.realism is None else made(Realism, config.realism, "realism")
        if realism is not None:
            sizes = realism.usable(sizes)
        if config.check_side <= COARSEST or config.check_count < 1 or not config.shrink > 0:
            raise ValueError(f"check_side is above {COARSEST}, check_count and shrink above 0")
        check_rates(config.rates)
        check_numbers(config)
    except (TypeError, ValueError, KeyError, AttributeError) as e:
        raise ArgumentError(f"{named}: {e}") from None
    return _Planned(shape, sizes, schedule, realism)
