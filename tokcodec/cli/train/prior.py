"""`tokcodec train prior`: photographs to a model with a learned prior, or to a register tokenizer's
prior.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from tokcodec.cli.train import options, register_network
from tokcodec.errors import ArgumentError, warn
from tokcodec.files import write_atomically
from tokcodec.terminal import say, watched

MODEL = "model.safetensors"
COUNT, BATCH = 200, 8192  # pictures to learn from, and digits of a step
HELD_OUT = 16  # one picture in so many is not learnt from, but counted at each check


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec train prior`."""
    parser.add_argument(
        "--images", type=Path, nargs="+", required=True,
        help=f"tar files, folders or pictures; {HELD_OUT} of 144x96 or more at least",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="go on with the run in --out")
    parser.add_argument(
        "--model",
        help="model with tables: whose tokens, and what to improve on (default: the default one)",
    )
    parser.add_argument(
        "--tokenizer", help="instead: name, file or folder of a register tokenizer to make one for"
    )
    parser.add_argument("--minutes", type=float, default=20.0, help="of training (default 20)")
    parser.add_argument(
        "--count", type=int,
        help=f"pictures of 288x192 to learn from (default {COUNT}); those of other shapes in "
        f"proportion. With --tokenizer, all pictures (default {register_network.COUNT})",
    )  # fmt: skip
    parser.add_argument(
        "--batch", type=int,
        help=f"digits a step (default {BATCH}); with --tokenizer, pictures (default "
        f"{register_network.BATCH})",
    )  # fmt: skip
    parser.add_argument("--device", default="cpu", help="with --tokenizer: cpu (default), cuda")
    parser.add_argument("--seed", type=int, default=1, help="of random choices (default 1)")
    parser.add_argument("--threads", type=int, help="of torch")
    parser.add_argument("--about", default="", help="a line for the model's card")


def run(args: argparse.Namespace) -> int:
    """Train and write OUT/model.safetensors, or a register tokenizer's prior; 0."""
    if args.tokenizer is not None:
        if args.model is not None:
            raise ArgumentError("a prior is a model's or a tokenizer's: leave one of them out")
        return register_network.run(args)
    options.need_torch()
    import torch

    from tokcodec.model import TABLES
    from tokcodec.registry import DEFAULT, open_model
    from tokcodec.train.checkpoint import steps_before
    from tokcodec.train.digits import digits_of
    from tokcodec.train.images.batches import batches
    from tokcodec.train.images.files import names_hash
    from tokcodec.train.loop import train
    from tokcodec.train.prior import PriorNetwork, PriorTask, drawn, finest_of, to_model
    from tokcodec.train.schedule import Schedule

    count, batch = options.amounts(args, COUNT, BATCH)
    if args.device != "cpu":
        raise ArgumentError("a model's prior is small and learns on the CPU: leave --device out")
    start = open_model(args.model or DEFAULT)
    if start.prior != TABLES:
        raise ArgumentError(f"{args.model} has no tables to improve on; begin with {DEFAULT}")
    finest_of(start)  # told now, not when the training is over
    of = {"model": start.id, "count": count, "batch": batch, "seed": args.seed}
    of["--images"] = names_hash(args.images)
    done = steps_before(args.out, args.resume, MODEL, of)
    options.use_threads(args.threads)
    torch.manual_seed(args.seed)
    learnt, held_out = _split(batches(args.images, count, args.seed))
    if not learnt or not held_out:
        raise ArgumentError(
            f"{HELD_OUT} pictures of 144x96 or more are needed, and a --count of {HELD_OUT}: there "
            f"are {sum(len(b) for b in learnt + held_out)}"
        )
    progress = watched()
    given = digits_of(start, learnt, args.seed, progress)
    task = PriorTask(PriorNetwork(), digits_of(start, held_out, args.seed, progress))
    stream = drawn(given, batch, args.seed + done)
    schedule = Schedule(
        minutes=args.minutes, rate=5e-3, decay=0.01, check_minutes=max(1.0, args.minutes / 6)
    )
    trained = train(task, stream, schedule, args.out, torch.device("cpu"), args.resume, of)
    card = {
        "about": args.about,
        "pictures": str(sum(len(b) for b in learnt)),
        "steps": str(trained.step),
        "minutes": f"{trained.seconds / 60:.1f}",
        "start": start.id,
    } | {name: f"{value:.2f}" for name, value in task.numbers.items()}
    model = to_model(task.found(), start, args.out.resolve().name, card)
    write_atomically(args.out / MODEL, model.save_bytes(), overwrite=True)
    saved = task.numbers["saved"]
    say(f"saves {saved:.1f} % of the bytes of pictures that it did not learn from")
    if saved <= 0:
        warn(f"{start.name} does as well without: learn from more pictures, or for longer")
    return 0


def _split(batches: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Pictures to learn from, and the last of every `HELD_OUT` to check with."""
    learnt, held_out, seen = [], [], 0
    for batch in batches:
        last = np.arange(seen, seen + len(batch)) % HELD_OUT == HELD_OUT - 1
        seen += len(batch)
        learnt += [batch[~last]] if not last.all() else []
        held_out += [batch[last]] if last.any() else []
    return learnt, held_out
