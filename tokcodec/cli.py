"""The `tokcodec` command: encode, decode, cut, info, models, train, export, quantize, send,
receive, serve, demo.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image
from tqdm import tqdm

import tokcodec
from tokcodec.decoders import export
from tokcodec.errors import ArgumentError, InputError, OutputError, TokCodecError, TokCodecWarning
from tokcodec.files import make_folder, write_atomically
from tokcodec.limits import DEFAULT_PSNR, MAX_PIXELS
from tokcodec.mx import command as quantize
from tokcodec.quality import AUTO
from tokcodec.train import command, prior_command, register_command, register_prior_command
from tokcodec.transport import command as wire

SUFFIX = ".tkc"
STANDARD = "-"  # stdin or stdout


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 if all went well, 1 if anything failed, 2 for wrong usage."""
    parser = _parser()
    args = parser.parse_args(argv)
    warnings.showwarning = lambda message, *_: _say(f"warning: {message}")
    warnings.simplefilter("always", TokCodecWarning)
    try:
        code = args.run(args)
        sys.stdout.flush()
        return code
    except TokCodecError as e:
        _say(str(e))
        return 1
    except BrokenPipeError:  # the reader of our output has gone: nothing left to say
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as e:  # all others are told where they happen: this is stdout
        _say(f"cannot write to stdout: {e.strerror or e}")
        sys.stdout = None  # what it still holds cannot be written either
        return 1
    except KeyboardInterrupt:
        _say("interrupted")
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tokcodec", description="Pictures as short lists of tokens: any prefix is a picture."
    )
    parser.add_argument("--version", action="version", version=f"tokcodec {tokcodec.__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    p = commands.add_parser("encode", help="pictures to streams (.tkc)")
    _files(p, "pictures, folders of pictures, or - for stdin")
    _limits(p, auto=True)
    p.add_argument(
        "--quality", type=float, help="0 to 100, even over pictures; --budget auto is quality 50"
    )
    p.add_argument(
        "--psnr",
        type=float,
        help=f"decibels to reach (default without any limit: {DEFAULT_PSNR:g})",
    )
    p.add_argument("--model", default="default", help="name of a model, or its file or folder")
    _prior(p)
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
        "--background",
        type=_colour,
        default=(255, 255, 255),
        metavar="R,G,B",
        help="seen through transparent parts",
    )
    _reference(p)
    _max_pixels(p)
    p.set_defaults(run=_encode)

    p = commands.add_parser("decode", help="streams, whole or cut, to pictures")
    _files(p, "streams, folders of them, or - for stdin")
    p.add_argument("--size", type=_size, metavar="WxH", help="fit the picture into this frame")
    p.add_argument(
        "--decoder",
        default="auto",
        help="auto, linear, onnx, realesrgan, or the file of a trained decoder",
    )
    p.add_argument("--realism", type=float, help="0 (closest on average) to 1 (most natural)")
    _model(p)
    p.add_argument(
        "--suffix",
        default=".png",
        help="kind of picture to write when -o names no file (default .png)",
    )
    _reference(p)
    _max_pixels(p)
    p.set_defaults(run=_decode)

    p = commands.add_parser("cut", help="shorten streams without coding them again")
    _files(p, "streams, folders of them, or - for stdin")
    _limits(p)
    _model(p)
    p.set_defaults(run=_cut)

    p = commands.add_parser("info", help="what streams say of themselves")
    p.add_argument(
        "inputs", nargs="+", metavar="IN", help="streams, folders of them, or - for stdin"
    )
    p.add_argument("--json", action="store_true", help="one JSON object a line")
    p.add_argument("--no-count", action="store_true", help="read the header only")
    _model(p)
    p.set_defaults(run=_info)

    p = commands.add_parser("train", help="models and decoders from photographs of your own")
    kinds = p.add_subparsers(required=True, metavar="WHAT")
    for name, module, help in (
        ("decoder", command, "the network that draws the pyramid's streams"),
        ("prior", prior_command, "the network that tells how likely each digit is"),
        ("register", register_command, "a register tokenizer: encoder and decoder"),
        ("register-prior", register_prior_command, "how likely a register tokenizer's digits are"),
    ):
        p = kinds.add_parser(name, help=help)
        module.add_arguments(p)
        p.set_defaults(run=module.run)

    p = commands.add_parser("export", help="trained decoders to files of other programs")
    kinds = p.add_subparsers(required=True, metavar="WHAT")
    p = kinds.add_parser("decoder", help="the network that draws the pyramid's streams")
    export.add_arguments(p)
    p.set_defaults(run=export.run)

    p = commands.add_parser("quantize", help="networks to smaller files, in an MX format")
    quantize.add_arguments(p)
    p.set_defaults(run=quantize.run)

    p = commands.add_parser("send", help="pictures over MQTT, Zenoh or UDP, or a camera's folder")
    wire.add_send_arguments(p)
    p.set_defaults(run=wire.run_send)

    p = commands.add_parser("receive", help="pictures from MQTT, Zenoh or UDP to files")
    wire.add_receive_arguments(p)
    p.set_defaults(run=wire.run_receive)

    p = commands.add_parser("serve", help="a folder of streams over HTTP, any range a picture")
    wire.add_serve_arguments(p)
    p.set_defaults(run=wire.run_serve)

    p = commands.add_parser("models", help="the models at hand")
    p.add_argument("--json", action="store_true", help="one JSON object a line")
    p.set_defaults(run=_models)

    p = commands.add_parser("demo", help="real photographs at a few bytes, beside JPEG and WebP")
    p.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path("demo"),
        metavar="DIR",
        help="where to write (default: demo)",
    )
    p.add_argument(
        "--bytes",
        type=int,
        nargs="+",
        default=[64, 128, 256, 512, 1024, 2048],
        help="sizes to show",
    )
    p.add_argument("--side", type=int, default=256, help="pixels of the longer side (default 256)")
    p.set_defaults(run=_demo)
    return parser


def _files(p: argparse.ArgumentParser, help: str) -> None:
    p.add_argument("inputs", nargs="+", metavar="IN", help=help)
    p.add_argument(
        "-o",
        "--out",
        metavar="OUT",
        help="file, folder (trees are recreated there), or - for stdout; default: beside IN",
    )
    p.add_argument("-f", "--force", action="store_true", help="overwrite what is there")


def _limits(p: argparse.ArgumentParser, auto: bool = False) -> None:
    tokens, help = (_tokens, "tokens to keep, or auto") if auto else (int, "tokens to keep")
    p.add_argument("-b", "--budget", type=tokens, help=help)
    p.add_argument("-m", "--max-bytes", type=int, help="bytes of the whole stream, at most")


def _model(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--model", help="name, file or folder of a model, for streams of one that is not shipped"
    )
    _prior(p)


def _prior(p: argparse.ArgumentParser) -> None:
    p.add_argument("--prior", help="of a register tokenizer: file of train register-prior")


def _reference(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--reference",
        action="append",
        default=[],
        metavar="STREAM",
        help="a stream that the pictures resemble; again for each that comes after it in a chain",
    )


def _max_pixels(p: argparse.ArgumentParser) -> None:
    p.add_argument(
        "--max-pixels",
        type=int,
        default=MAX_PIXELS,
        help="refuse larger pictures (default %(default)s)",
    )


def _tokens(text: str) -> int | str:
    if text == AUTO:
        return text
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a number of tokens, or {AUTO}") from None


def _colour(text: str) -> tuple[int, ...]:
    try:
        colour = tuple(int(v) for v in text.split(","))
    except ValueError:
        colour = ()
    if len(colour) != 3 or not all(0 <= v <= 255 for v in colour):
        raise argparse.ArgumentTypeError("three numbers in 0..255, as in 255,255,255")
    return colour


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(v) for v in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError("width and height, as in 320x240") from None
    return width, height


def _say(text: str) -> None:
    sys.stderr.write("tokcodec: " + " ".join(text.split()) + "\n")


def _encode(args: argparse.Namespace) -> int:
    codec = tokcodec.load(args.model, prior=args.prior)
    _check_family(args, isinstance(codec, tokcodec.Codec))
    options = {"background": args.background, "max_pixels": args.max_pixels}
    given = {"fit": args.fit, "quality": args.quality, "effort": args.effort or None}
    options |= {name: value for name, value in given.items() if value is not None}
    options |= _opened(args.reference)

    def convert(data: bytes, _: str) -> bytes:
        return codec.encode(data, args.budget, args.max_bytes, args.psnr, **options)

    return _convert(args, convert, SUFFIX, Image.registered_extensions().keys() - {SUFFIX})


def _check_family(args: argparse.Namespace, pyramid: bool) -> None:
    """Refuse options that the model's family does not know."""
    deserved = args.quality is not None or args.budget == AUTO
    for wrong, message in (
        (pyramid and args.fit, "takes pictures of any shape: leave --fit out"),
        (not pyramid and args.effort, "has one way to encode: leave --effort out"),
        (not pyramid and deserved, "has no measure of quality: give a number to --budget"),
        (not pyramid and args.reference, "knows no references: leave --reference out"),
    ):
        if wrong:
            raise ArgumentError(f"{args.model} {message}")


def _known(args: argparse.Namespace) -> None:
    """Load the model that was named, so that streams find it by their headers."""
    if args.model or args.prior:
        tokcodec.load(args.model or "default", prior=args.prior)


def _decode(args: argparse.Namespace) -> int:
    _known(args)
    reference = _opened(args.reference)

    def convert(data: bytes, target: str) -> bytes:
        picture = tokcodec.decode(
            data,
            args.size,
            model=None if args.prior else args.model,
            decoder=args.decoder,
            realism=args.realism,
            max_pixels=args.max_pixels,
            **reference,
        )
        suffix = Path(target).suffix.lower() if target != STANDARD else args.suffix
        kind = Image.registered_extensions().get(suffix)
        if kind not in Image.SAVE:
            raise ArgumentError(f"no picture can be written with the suffix {suffix!r}; try .png")
        out = io.BytesIO()
        try:
            picture.save(out, kind)
        except (OSError, ValueError) as e:
            raise OutputError(f"cannot make a {suffix} file of this picture: {e}") from e
        return out.getvalue()

    suffix = args.suffix if args.suffix.startswith(".") else "." + args.suffix
    args.suffix = suffix
    return _convert(args, convert, suffix, {SUFFIX})


def _opened(paths: list[str]) -> dict[str, list[bytes]]:
    """The option that hands over references, if there are any."""
    return {"reference": [_read(path) for path in paths]} if paths else {}


def _cut(args: argparse.Namespace) -> int:
    if args.budget is None and args.max_bytes is None:
        raise ArgumentError("say what to cut to: --budget TOKENS or --max-bytes BYTES")
    _known(args)
    return _convert(
        args, lambda data, _: tokcodec.cut(data, args.budget, args.max_bytes), SUFFIX, {SUFFIX}
    )


def _convert(
    args: argparse.Namespace, convert: Callable[[bytes, str], bytes], suffix: str, kinds: set[str]
) -> int:
    """Each input through `convert` to its output; go on after a failure, and report it."""
    jobs = [
        (source, _target(source, root, args, suffix))
        for source, root in _inputs(args.inputs, kinds)
    ]
    targets = [target for _, target in jobs if target != STANDARD]
    if len(set(targets)) < len(targets):
        raise ArgumentError(
            "several inputs would be written to one output; give a folder to -o, or distinct names"
        )
    failed = 0
    for source, target in tqdm(jobs, disable=len(jobs) < 2 or not sys.stderr.isatty(), unit="file"):
        try:
            _write(target, convert(_read(source), target), args.force)
        except TokCodecError as e:
            failed += 1
            _say(str(e) if len(jobs) == 1 else f"{source}: {e}")
    return 1 if failed else 0


def _inputs(paths: list[str], kinds: set[str]) -> Iterator[tuple[str, Path | None]]:
    """Files to work on, each with the folder it was found under, if any."""
    for path in paths:
        folder = Path(path)
        if path != STANDARD and folder.is_dir():
            found = sorted(
                p for p in folder.rglob("*") if p.is_file() and p.suffix.lower() in kinds
            )
            if not found:
                raise InputError(f"the folder {path} holds no file to work on")
            yield from ((str(p), folder) for p in found)
        else:
            yield path, None


def _target(source: str, root: Path | None, args: argparse.Namespace, suffix: str) -> str:
    """Where the result of `source` goes."""
    if args.out == STANDARD or (args.out is None and source == STANDARD):
        return STANDARD
    if source == STANDARD:
        return args.out
    if args.out is None:
        return str(Path(source).with_suffix(suffix))
    into_folder = (
        root is not None
        or len(args.inputs) > 1
        or args.out.endswith(os.sep)
        or Path(args.out).is_dir()
    )
    if not into_folder:
        return args.out
    inside = Path(source).relative_to(root) if root is not None else Path(Path(source).name)
    return str(Path(args.out) / inside.with_suffix(suffix))


def _read(source: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if source == STANDARD else Path(source).read_bytes()
    except OSError as e:
        raise InputError(f"cannot read {source}: {e.strerror or e}") from e


def _write(target: str, data: bytes, overwrite: bool) -> None:
    if target == STANDARD:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    make_folder(Path(target).parent)
    write_atomically(target, data, overwrite)


def _info(args: argparse.Namespace) -> int:
    failed = 0
    _known(args)
    for source, _ in _inputs(args.inputs, {SUFFIX}):
        try:
            found = tokcodec.info(_read(source), count=not args.no_count)
        except TokCodecError as e:
            failed += 1
            _say(f"{source}: {e}")
            continue
        if args.json:
            sys.stdout.write(json.dumps({"file": source, **found.as_dict()}) + "\n")
            continue
        counted = (
            "" if found.tokens is None else f", {found.tokens} tokens ({found.digits} digits), "
        )
        state = "" if found.complete is None else "complete" if found.complete else "cut"
        grey = ", grey" if found.grey else ""
        reference = f", reference {found.reference}" if found.reference else ""
        sys.stdout.write(
            f"{source}: {found.width}x{found.height}{grey}, "
            f"model {found.model} ({found.model_id[:8]}), "
            f"{found.bytes} bytes ({found.bits_per_pixel:.4f} bits per pixel)"
            f"{counted}{state}{reference}\n"
        )
    return 1 if failed else 0


def _models(args: argparse.Namespace) -> int:
    for m in tokcodec.models():
        if args.json:
            sys.stdout.write(json.dumps(m.__dict__) + "\n")
            continue
        identity = f", id {m.id[:16]}" if m.id else ""
        sys.stdout.write(
            f"{m.name}: family {m.family}, code {m.code}, vocabulary {m.vocabulary}{identity}\n"
            f"  {m.about}\n"
        )
        if m.hub:
            sys.stdout.write(f"  hf-hub:{m.hub}\n  {m.licence}\n")
    return 0


def _demo(args: argparse.Namespace) -> int:
    from tokcodec.demo import demo

    sys.stdout.write(demo(args.out, sorted(set(args.bytes)), args.side))
    return 0
