"""`tokcodec decode`: streams to pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import tokcodec
from tokcodec.cli import options
from tokcodec.cli.jobs import STANDARD, convert
from tokcodec.codec import codec_for
from tokcodec.errors import ArgumentError
from tokcodec.pixels.saved import kind_of, saved
from tokcodec.stream import header as headers
from tokcodec.stream.header import SUFFIX

FLOW = ("steps", "guidance", "seed")  # options of tokenizers whose decoder starts from noise


def add_arguments(p: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec decode`."""
    options.add_files(p, "streams, folders of them, or - for stdin")
    p.add_argument(
        "--size", type=options.size, metavar="WxH", help="fit the picture into this frame"
    )
    p.add_argument(
        "--decoder",
        default="auto",
        help="auto, linear, neural, onnx, realesrgan, or the file of a trained decoder",
    )
    p.add_argument("--realism", type=float, help="0 (closest on average) to 1 (most natural)")
    options.add_model(p)
    options.add_device(p)
    flow = p.add_argument_group("FlexTok")
    flow.add_argument("--steps", type=int, help="denoising steps (default 25)")
    flow.add_argument("--guidance", type=float, help="scale of classifier-free guidance; 1 is none")
    flow.add_argument("--seed", type=int, help="of its noise (default 0)")
    p.add_argument(
        "--suffix",
        default=".png",
        help="kind of picture where -o names no file: .png (default) and .webp keep every pixel, "
        ".jpg and .avif nearly",
    )
    options.add_reference(p)
    options.add_max_pixels(p)


def run(args: argparse.Namespace) -> int:
    """Decode all; 0 if that went well."""
    named = options.open_named(args)
    reference = options.reference(args.reference)
    flow = {name: getattr(args, name) for name in FLOW if getattr(args, name) is not None}
    usual = args.suffix if args.suffix.startswith(".") else "." + args.suffix
    kind_of(usual)

    def change(data: bytes, target: str) -> bytes:
        suffix = usual if target == STANDARD else Path(target).suffix.lower()
        kind_of(suffix)  # told before anything is drawn
        codec = named or codec_for(data)
        pyramid = isinstance(codec, tokcodec.Codec)
        if named is None and args.device and not pyramid:
            codec = tokcodec.load(codec.model.name, device=args.device)
        if flow and pyramid:
            raise ArgumentError(
                f"a pyramid draws without noise: leave --{' and --'.join(flow)} out"
            )
        more: dict[str, Any] = {**reference, **flow}
        if pyramid and args.device:
            more["device"] = args.device
        picture = codec.decode(
            data,
            args.size,
            decoder=args.decoder,
            realism=args.realism,
            max_pixels=args.max_pixels,
            **more,
        )
        return saved(picture, suffix)

    return convert(args, change, usual, {SUFFIX}, headers.parse)
