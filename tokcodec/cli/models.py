"""`tokcodec models`: the models at hand."""

from __future__ import annotations

import argparse
import json
import sys

import tokcodec


def add_arguments(p: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec models`."""
    p.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """List them; 0."""
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
