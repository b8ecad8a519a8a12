"""`tokcodec train register-prior`: a register tokenizer and photographs to the prior's file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from tokcodec.errors import ArgumentError, InputError

if TYPE_CHECKING:
    from PIL import Image

    from tokcodec.register.codec import RegisterCodec
    from tokcodec.train.photographs import Place

WHOLE = 0.5  # share of pictures that are whole photographs; the others are random parts


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
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="of torch, on a CPU")


def run(args: argparse.Namespace) -> int:
    """Count, write OUT, and say what it saves on pictures that were not counted; 0."""
    try:
        import torch
    except ImportError:
        raise ArgumentError("register tokenizers need torch: pip install torch") from None
    from tokcodec.register.load import load
    from tokcodec.register.prior_tables import write
    from tokcodec.register.sources import names_tokenizer
    from tokcodec.train.photographs import places
    from tokcodec.train.register_prior import counted

    if args.count < 1 or args.batch < 1:
        raise ArgumentError("count and batch are above 0")
    if args.threads:
        torch.set_num_threads(args.threads)
    if not names_tokenizer(args.tokenizer):
        raise ArgumentError(f"{args.tokenizer} is no register tokenizer")
    codec = load(args.tokenizer, args.device)
    codec.batch = args.batch
    rng = np.random.default_rng(args.seed)
    found = places(args.images)
    learnt, kept = ([p for p in found if p.held_out == out] for out in (False, True))
    levels, length = codec.model.tokenizer.levels, codec.model.tokenizer.length
    tables = counted(_digits(codec, _pictures(learnt, args.count, rng)), levels)
    without = float(np.log2(levels).sum())
    card = {"pictures": str(args.count), "images": " ".join(p.name for p in args.images)}
    text = f"bits per token: {without:.3f} without"
    if kept:
        bits = tables.bits(_digits(codec, _pictures(kept, len(kept), rng))) / length
        card |= {"bits_without": f"{without:.3f}", "bits_with": f"{bits:.3f}"}
        text += f", {bits:.3f} with, on {len(kept)} pictures held out"
    write(args.out, tables, codec.model.checkpoint.hex(), card)
    sys.stdout.write(text + "\n")
    return 0


def _pictures(
    chosen: Sequence[Place], count: int, rng: np.random.Generator
) -> Iterator[Image.Image]:
    """So many photographs, or parts of them: each comes again when all have been seen."""
    from tokcodec.train.photographs import photograph

    bar = tqdm(total=count, unit="picture", disable=not sys.stderr.isatty())
    left = count
    while left:
        before = left
        for i in rng.permutation(len(chosen)):
            image = photograph(chosen[i]) if left else None
            if image is not None:
                yield image if rng.random() < WHOLE else _part(image, rng)
                left -= 1
                bar.update()
        if left == before:
            raise InputError("no photographs to count")
    bar.close()


def _part(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A random rectangle, each side at least a half of the picture's."""
    width, height = (int(n * rng.uniform(0.5, 1)) for n in image.size)
    x, y = int(rng.integers(image.width - width + 1)), int(rng.integers(image.height - height + 1))
    return image.crop((x, y, x + width, y + height))


def _digits(codec: RegisterCodec, pictures: Iterator[Image.Image]) -> np.ndarray:
    """Digits (pictures, places) of all tokens of each picture."""
    from tokcodec.register.batches import see

    code = codec.model.code
    return np.array([code.digits(t.ids.tolist()) for t in see(codec.model, pictures, codec.batch)])
