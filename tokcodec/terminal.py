"""What commands say, whether somebody watches, and how they are told to stop."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def stopping() -> Iterator[None]:
    """Being told to stop (SIGTERM, by a service manager) ends a program as Ctrl-C does."""
    try:
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    except ValueError:  # not the main thread: whoever runs us will stop us
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def say(text: str) -> None:
    """A line to stdout, at once; nothing where that is closed."""
    if sys.stdout is None:
        return
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def watched() -> bool:
    """Whether stderr is a terminal, where progress can be seen; it may be closed."""
    return sys.stderr is not None and sys.stderr.isatty()


def complain(text: str) -> None:
    """A line to stderr; nothing where that is closed."""
    if sys.stderr is None:
        return
    sys.stderr.write("tokcodec: " + " ".join(text.split()) + "\n")
