"""`tokcodec train model`: photographs to the file of a model, its order and its tables."""

from __future__ import annotations

import argparse
from pathlib import Path

from tokcodec.errors import ArgumentError, InputError, warn
from tokcodec.files import check_free, make_folder, write_atomically
from tokcodec.terminal import say, watched
from tokcodec.train.levels import FINEST

SUFFIX = ".safetensors"
FEW = 150  # pictures: models of fewer are behind the shipped one even on pictures like theirs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec train model`."""
    parser.add_argument(
        "--images", nargs="+", type=Path, required=True, help="tar files, folders or pictures"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="model file to write (.safetensors)"
    )
    parser.add_argument(
        "--count",
        type=int,
        default=320,
        help="pictures of 288x192; those of other shapes in proportion (default %(default)s)",
    )
    parser.add_argument(
        "--rounds", type=int, default=4, help="times through the pictures (default %(default)s)"
    )
    parser.add_argument(
        "--finest",
        type=int,
        default=FINEST,
        help="finest level with tables of its own; finer ones, of which few photographs tell, "
        "share them (default %(default)s)",
    )
    parser.add_argument("--workers", type=int, default=2, help="processes (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of random choices (default 1)")
    parser.add_argument("--about", default="", help="a line for the model's card")


def run(args: argparse.Namespace) -> int:
    """Count, write OUT, and say its identity; 0."""
    from tokcodec.model import LEVELS, Model
    from tokcodec.registry import DEFAULT
    from tokcodec.train.images.batches import batches
    from tokcodec.train.pyramid import train

    if args.out.suffix != SUFFIX:  # it is how others tell what a file is
        raise ArgumentError(f"a model is read again from a file *{SUFFIX}, not {args.out}")
    if min(args.count, args.rounds, args.workers) < 1 or args.seed < 0:
        raise ArgumentError("count, rounds and workers are above 0, seed is 0 or more")
    if not 1 <= args.finest <= LEVELS:
        raise ArgumentError(f"--finest lies in 1..{LEVELS}, not {args.finest}")
    check_free(args.out)
    given = batches(args.images, args.count, args.seed)
    if not given:
        raise InputError("no picture is large enough to train on: 144 pixels wide, 96 high")
    pictures = sum(len(b) for b in given)
    if pictures < FEW:
        warn(
            f"{pictures} pictures are few: the model will take more bytes than {DEFAULT}, not fewer"
        )
    card = {
        "about": args.about,
        "pictures": str(pictures),
        "rounds": str(args.rounds),
        "finest": str(args.finest),
        "seed": str(args.seed),
    }
    trained = train(given, args.rounds, args.workers, args.finest, watched())
    model = Model(args.out.stem, trained.arrays, card)
    make_folder(args.out.parent)
    write_atomically(args.out, model.save_bytes(), overwrite=False)
    say(f"{args.out}: {model.id}")
    return 0
