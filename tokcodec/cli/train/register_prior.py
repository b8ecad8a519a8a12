"""`tokcodec train register-prior`: a register tokenizer and photographs to the file of a prior of
counted tables.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from tokcodec.cli.train import options
from tokcodec.errors import ArgumentError
from tokcodec.files import check_free, make_folder
from tokcodec.terminal import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec train register-prior`."""
    parser.add_argument(
        "--tokenizer", required=True, help="name, file or folder of a register tokenizer"
    )
    parser.add_argument(
        "--images", type=Path, nargs="+", required=True, help="tar files, folders or pictures"
    )
    parser.add_argument("--out", type=Path, required=True, help="file to write (.safetensors)")
    parser.add_argument("--count", type=int, default=2000, help="pictures (default %(default)s)")
    parser.add_argument("--batch", type=int, default=8, help="pictures at a time (default 8)")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda, cuda:1")
    parser.add_argument("--seed", type=int, default=0, help="of random choices (default 0)")
    parser.add_argument("--threads", type=int, help="of torch, on a CPU")


def run(args: argparse.Namespace) -> int:
    """Count, write OUT, and say what it saves on pictures that were not counted; 0."""
    options.need_torch()
    from tokcodec.register.checkpoints.sources import names_tokenizer
    from tokcodec.register.load import load
    from tokcodec.register.prior.file import write
    from tokcodec.train.images.files import MAX_HELD_OUT, places, readable, some
    from tokcodec.train.register.digits import digits_of, pictures
    from tokcodec.train.register.prior_tables import counted

    if args.count < 1 or args.batch < 1 or args.seed < 0:
        raise ArgumentError("count and batch are above 0, seed is 0 or more")
    options.use_threads(args.threads)
    if not names_tokenizer(args.tokenizer):
        raise ArgumentError(f"{args.tokenizer} is no register tokenizer")
    check_free(args.out)
    codec = load(args.tokenizer, args.device)
    codec.batch = args.batch
    rng = np.random.default_rng(args.seed)
    found = places(args.images)
    learnt = [p for p in found if not p.held_out]
    kept = readable(some([p for p in found if p.held_out], MAX_HELD_OUT))  # before all is counted
    levels, length = codec.model.tokenizer.levels, codec.model.tokenizer.length
    tables = counted(digits_of(codec, pictures(learnt, args.count, rng)), levels)
    without = float(np.log2(levels).sum())
    card = {"pictures": str(args.count), "images": " ".join(p.name for p in args.images)}
    text = f"bits per token: {without:.3f} without"
    if kept:
        seen = digits_of(codec, pictures(kept, len(kept), rng))
        bits = float(tables.bits(seen).sum(1).mean()) / length
        card |= {"bits_without": f"{without:.3f}", "bits_with": f"{bits:.3f}"}
        text += f", {bits:.3f} with, on {len(kept)} pictures held out"
    make_folder(args.out.parent)
    write(args.out, tables, codec.model.checkpoint.hex(), card)
    say(text)
    return 0
