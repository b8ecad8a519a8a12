"""`tokcodec serve`: a folder of streams over HTTP."""

from __future__ import annotations

import argparse

from tokcodec.cli.options import path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `tokcodec serve`."""
    parser.add_argument("folder", type=path, metavar="DIR", help="its .tkc files, and no others")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="(%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Serve until the program is told to stop; 0."""
    from tokcodec.terminal import say, stopping
    from tokcodec.transport.http import Server

    with Server(args.folder, args.host, args.port) as server, stopping():
        host = f"[{args.host}]" if ":" in args.host else args.host or "localhost"
        say(f"serving {args.folder} at http://{host}:{server.port}/")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0
