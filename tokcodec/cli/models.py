"""`tokcodec models`: the models at hand."""

from __future__ import annotations

import argparse
import json

import tokcodec
from tokcodec.terminal import say


def add_arguments(p: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec models`."""
    p.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """List them; 0."""
    for m in tokcodec.models():
        if args.json:
            say(json.dumps(m.__dict__))
            continue
        identity = f", id {m.id[:16]}" if m.id else ""
        say(f"{m.name}: family {m.family}, code {m.code}, vocabulary {m.vocabulary}{identity}")
        say(f"  {m.about}")
        if m.hub:
            say(f"  hf-hub:{m.hub}\n  {m.licence}")
    return 0
