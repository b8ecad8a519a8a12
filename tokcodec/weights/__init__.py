"""The files that come with the package; what is in them is told by those who read them."""

from __future__ import annotations

from pathlib import Path


def path(name: str) -> Path:
    """Where one of them lies."""
    return Path(__file__).with_name(name)
