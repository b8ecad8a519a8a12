"""`tokcodec encode`: pictures to streams."""

from __future__ import annotations

import argparse

import tokcodec
from tokcodec.cli import options
from tokcodec.cli.jobs import convert
from tokcodec.errors import ArgumentError, InputError, warn
from tokcodec.limits import DEFAULT_PSNR
from tokcodec.pixels.image import suffixes
from tokcodec.quality import AUTO
from tokcodec.stream.header import BUNDLE, MAGIC, SUFFIX


def add_arguments(p: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec encode`."""
    options.add_files(p, "pictures, folders of pictures, or - for stdin")
    options.add_limits(p, auto=True)
    p.add_argument(
        "--quality",
        type=float,
        help="0 to 100, alike for all pictures; --budget auto is mostly 50 to 60",
    )
    p.add_argument(
        "--psnr",
        type=float,
        help=f"decibels to reach (default without any limit: {DEFAULT_PSNR:g})",
    )
    p.add_argument("--model", default="default", help="name of a model, or its file or folder")
    options.add_prior(p)
    options.add_device(p, "of a register tokenizer")
    p.add_argument(
        "--fit",
        choices=("squash", "crop", "pad"),
        help="how a picture becomes the square of a register tokenizer (default: squash)",
    )
    p.add_argument(
        "--effort",
        type=int,
        default=0,
        help="0 (at once, the default) to 9: look longer for a closer picture in as many bytes",
    )
    p.add_argument(
        "--decoder",
        help="whose picture --effort brings closer: linear (default), neural, auto, or the file of "
        "a trained decoder",
    )
    p.add_argument(
        "--background",
        type=options.colour,
        default=(255, 255, 255),
        metavar="R,G,B",
        help="seen through transparent parts",
    )
    options.add_reference(p)
    options.add_max_pixels(p)


def run(args: argparse.Namespace) -> int:
    """Encode all; 0 if that went well."""
    codec = tokcodec.load(args.model, device=args.device, prior=args.prior)
    _check_family(args, isinstance(codec, tokcodec.Codec), codec.model.name)
    given = {"fit": args.fit, "quality": args.quality, "effort": args.effort or None}
    given["decoder"] = args.decoder
    said = {"background": args.background, "max_pixels": args.max_pixels}
    said |= {name: value for name, value in given.items() if value is not None}
    said |= options.reference(args.reference)

    def change(data: bytes, _: str) -> bytes:
        stream = codec.encode(data, args.budget, args.max_bytes, args.psnr, **said)
        about = tokcodec.info(stream, count=False)
        if about.bytes == about.header_bytes and about.reference is None:
            warn("the stream is its header alone, and draws plain grey: give more bytes or tokens")
        return stream

    return convert(args, change, SUFFIX, suffixes() - {SUFFIX}, _look)


def _look(data: bytes) -> None:
    """Raises InputError for what is encoded already."""
    if data.startswith(BUNDLE):
        raise InputError("this is a bundle of streams: `tokcodec unbundle` writes them out")
    if data.startswith(MAGIC):
        raise InputError(
            "this is a stream already: `tokcodec cut` shortens it, `tokcodec decode` draws it"
        )


def _check_family(args: argparse.Namespace, pyramid: bool, name: str) -> None:
    """Refuse options that the model's family does not know."""
    deserved = args.quality is not None or args.budget == AUTO
    for wrong, message in (
        (pyramid and args.fit, "takes pictures of any shape: leave --fit out"),
        (not pyramid and args.effort, "has one way to encode: leave --effort out"),
        (not pyramid and args.decoder, "knows no other decoder: leave --decoder out"),
        (not pyramid and deserved, "has no measure of quality: give a number to --budget"),
        (not pyramid and args.reference, "knows no references: leave --reference out"),
    ):
        if wrong:
            raise ArgumentError(f"{name} {message}")
