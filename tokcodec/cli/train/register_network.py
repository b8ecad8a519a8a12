"""`tokcodec train prior --tokenizer NAME`: a register tokenizer and photographs to the file of a
prior with a network.
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tokcodec.cli.train import options
from tokcodec.errors import ArgumentError
from tokcodec.files import write_atomically
from tokcodec.terminal import say

if TYPE_CHECKING:
    from tokcodec.register.prior.network import Network
    from tokcodec.register.prior.tables import Tables

PRIOR = "prior.safetensors"
ROWS = "bits.tsv"
COUNT, BATCH = 8000, 16  # pictures to learn from, and of a step
FIRST = (0, 1, 4, 16, 64, 256)  # tokens, between which bits are told apart
OFTEN = 4  # times that held-out photographs are seen, in parts of them


def run(args: argparse.Namespace) -> int:
    """Train, write OUT/prior.safetensors and OUT/bits.tsv, and say what it saves on pictures that
    it did not learn from; 0.
    """
    options.need_torch()
    import torch

    from tokcodec import devices
    from tokcodec.register.checkpoints.sources import names_tokenizer
    from tokcodec.register.load import load
    from tokcodec.register.prior.file import write
    from tokcodec.train.checkpoint import steps_before
    from tokcodec.train.images.files import MAX_HELD_OUT, names_hash, places, readable, some
    from tokcodec.train.loop import train
    from tokcodec.train.plan import seed_of
    from tokcodec.train.register.digits import digits_of, pictures
    from tokcodec.train.register.prior_network import (
        NetworkTask,
        RegisterPriorNetwork,
        drawn,
        to_prior,
    )
    from tokcodec.train.register.prior_tables import counted
    from tokcodec.train.schedule import Schedule

    count, batch = options.amounts(args, COUNT, BATCH)
    if not names_tokenizer(args.tokenizer):
        raise ArgumentError(f"{args.tokenizer} is no register tokenizer")
    options.use_threads(args.threads)
    device = devices.find(args.device)
    codec = load(args.tokenizer, device)
    of = {"tokenizer": codec.model.id, "count": count, "batch": batch, "seed": args.seed}
    of["--images"] = names_hash(args.images)
    done = steps_before(args.out, args.resume, PRIOR, of)
    found = places(args.images)
    learnt = [p for p in found if not p.held_out]
    kept = readable(some([p for p in found if p.held_out], MAX_HELD_OUT))  # before all is encoded
    if not learnt or not kept:
        raise ArgumentError("photographs are needed to learn from, and some that are held out")
    rng = np.random.default_rng(args.seed)
    seen = digits_of(codec, pictures(learnt, count, rng, mirrored=True))
    checks, held_out = (
        digits_of(codec, pictures(some, OFTEN * len(some), rng))
        for some in (kept[::2], kept[1::2] or kept)  # to choose by, and to tell what it saves
    )
    alone, tables = (counted(seen, codec.model.tokenizer.levels, p) for p in (False, True))
    torch.manual_seed(seed_of(args.seed, 0, done))
    task = NetworkTask(RegisterPriorNetwork(tables), checks, device)
    schedule = Schedule(minutes=args.minutes, rate=1e-2, decay=0.1, check_minutes=args.minutes / 20)
    stream = drawn(seen, batch, args.seed + done)
    trained = train(task, stream, schedule, args.out, device, args.resume, of)
    prior = to_prior(task.found())
    rows = _rows(codec.model.tokenizer.levels, held_out, alone, tables, prior)
    card = {
        "about": args.about, "pictures": str(count), "steps": str(trained.step),
        "minutes": f"{trained.seconds / 60:.1f}", "images": " ".join(p.name for p in args.images),
    } | {f"bits_{kind}": text for kind, text, *_ in rows}  # fmt: skip
    write(args.out / PRIOR, prior, codec.model.checkpoint.hex(), card)
    _write_rows(args.out / ROWS, rows, held_out.shape[1] // len(codec.model.tokenizer.levels))
    said = ", ".join(f"{text} {kind}" for kind, text, *_ in rows)
    say(f"bits per token, on {len(held_out)} pictures held out: {said}")
    return 0


def _rows(
    levels: tuple[int, ...], digits: np.ndarray, alone: Tables, tables: Tables, prior: Network
) -> list[list[str]]:
    """Mean bits of a token without a prior and with each, then between the numbers of `FIRST`."""
    raw = np.tile(np.log2(levels), digits.shape[1] // len(levels))
    kinds = {
        "raw": raw[None],
        "tables": alone.bits(digits),
        "tables with parents": tables.bits(digits),
        "network": prior.bits(digits),
    }
    found = []
    for kind, bits in kinds.items():
        tokens = bits.mean(0).reshape(-1, len(levels)).sum(1)
        parts = [tokens[a:b] for a, b in _octaves(len(tokens))]
        found.append([kind, *(f"{part.mean():.3f}" for part in (tokens, *parts))])
    return found


def _octaves(tokens: int) -> list[tuple[int, int]]:
    """Numbers of tokens between which bits are told apart."""
    ends = [n for n in FIRST if n < tokens] + [tokens]
    return list(pairwise(ends))


def _write_rows(path: Path, rows: list[list[str]], tokens: int) -> None:
    head = ["prior", "bits", *(f"tokens_{a}_to_{b}" for a, b in _octaves(tokens))]
    text = "".join("\t".join(row) + "\n" for row in (head, *rows))
    write_atomically(path, text.encode(), overwrite=True)
