"""Two decoders of one shape to one between them: each weight a mean of both.

    python -m tokcodec.train.interpolate before.safetensors after.safetensors --share 0.6 \
        --out mine.safetensors

A run with a critic ends somewhere around what it looks for, and with more texture than it needs.
Between where it began and where it ended lie networks that have most of its edges and little of its
grain, and score better than both: interpolation of networks (Wang et al., "ESRGAN", 2018), means of
weights (Wortsman et al., "Model soups", 2022). It works for decoders that come from each other.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from tokcodec.arguments import is_number
from tokcodec.decoders import stored
from tokcodec.decoders.stored import Stored
from tokcodec.errors import ArgumentError, TokCodecError
from tokcodec.files import write_atomically
from tokcodec.tensors import ordered

SUFFIX = ".safetensors"


def between(one: Stored, two: Stored, share: float) -> Stored:
    """The decoder `share` of the way from one to the other, with a card that tells of both.

    Args:
        share: 0 is the first, 1 the second.

    Raises:
        ArgumentError: they differ in shape, or draw other tokens; share does not lie in 0..1.
    """
    if not is_number(share) or not 0 <= share <= 1:
        raise ArgumentError(f"share lies in 0..1, not {share!r}")
    if one.shape != two.shape or one.about.get("tokens") != two.about.get("tokens"):
        raise ArgumentError("the decoders differ in shape, or in the tokens that they draw")
    weights = {
        name: ((1 - share) * one.weights[name].astype(np.float32) + share * w).astype(w.dtype)
        for name, w in two.weights.items()
    }
    return Stored(two.shape, weights, two.about | {"between": [one.about, two.about, share]})


def write(path: Path, kept: Stored) -> None:
    """A decoder to its file, with the hash of its weights.

    Raises:
        OutputExistsError, OutputError: it is there already, or cannot be written.
    """
    metadata = kept.metadata()
    write_atomically(path, ordered(save(kept.weights, metadata)), overwrite=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Read, mix and write; 0 if all went well."""
    parser = argparse.ArgumentParser(
        prog="python -m tokcodec.train.interpolate",
        description=(__doc__ or "").partition("\n\n")[0],
    )
    parser.add_argument("decoders", nargs=2, type=Path, help="two decoders (.safetensors)")
    parser.add_argument("--share", type=float, default=0.5, help="of the second (%(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="decoder to write (.safetensors)")
    args = parser.parse_args(argv)
    try:
        if args.out.suffix != SUFFIX:
            raise ArgumentError(f"a decoder is read again from a file *{SUFFIX}, not {args.out}")
        one, two = (stored.read(path) for path in args.decoders)
        write(args.out, between(one, two, args.share))
    except TokCodecError as e:
        print(f"{parser.prog}: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
