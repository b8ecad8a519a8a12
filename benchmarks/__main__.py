"""The benchmarks' command: `python -m benchmarks rd`, `report`, `speed` and more (see --help)."""

from __future__ import annotations

import argparse
import sys
import warnings
from importlib import import_module

from tokcodec.errors import TokCodecError, TokCodecWarning

COMMANDS = {
    "rd": "bytes against fidelity: rows of pictures, codecs and byte targets",
    "report": "rows to plots, tables, contact sheets and a page",
    "check": "rows against what comes out here: bytes and PSNR, of some of a set's pictures",
    "storage": "what a million pictures cost",
    "bandwidth": "seconds and joules a picture on named links",
    "speed": "encode and decode as ratios to WebP and AVIF",
    "tokens": "bytes a token, what a cut loses, large and strange pictures",
    "loss": "PSNR and share shown over links that lose packets",
    "quality": "what quality looks like, how even it is, what it costs beside fixed budgets",
    "register": "register tokenizers: seconds, memory, and likeness to their references",
    "packets": "what packets cost, what damage passes their checks, what a flood of them does",
    "broker": "pictures through an MQTT broker that restarts: lost, doubled, time, memory",
    "latency": "milliseconds to the first picture and to each better one",
    "robust": "pictures unlike photographs: one decoder against another",
    "prior": "a model's prior against another's: bytes saved at equal tokens, and time",
    "order": "orders chosen from what is decoded against the static one, at equal bytes",
    "effort": "decibels and seconds of each encoder effort",
    "mx": "the decoder in fewer bits: size and fidelity of every MX format",
    "reference": "similar pictures: bytes at equal PSNR, alone and with a reference",
    "fit-quality": "photographs to the weights behind encode(quality=...)",
}


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 if all went well, 1 if anything failed, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    modules = {}
    for name, about in COMMANDS.items():
        modules[name] = import_module(f"benchmarks.{name.replace('-', '_')}")
        modules[name].add_arguments(commands.add_parser(name, help=about, description=about))
    args = parser.parse_args(argv)
    warnings.showwarning = lambda message, *_: print(f"warning: {message}", file=sys.stderr)
    warnings.simplefilter("always", TokCodecWarning)
    try:
        return modules[args.command].run(args)
    except TokCodecError as e:
        print(f"{parser.prog} {args.command}: {e}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; what is measured is kept", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
