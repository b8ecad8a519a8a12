"""Parity vectors, made with the reference implementations at tiny sizes, and where they are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = "TOKCODEC_VECTORS"  # environment variable: folder of titok_legacy, onedpiece and others
HERE = Path(__file__).parent / "vectors"


def vector(name: str) -> Path:
    """The folder of a vector: in this repository, or where `TOKCODEC_VECTORS` says."""
    for root in (HERE, *(Path(p) for p in [os.environ.get(FOLDER, "")] if p)):
        if (root / name / "io.safetensors").is_file():
            return root / name
    pytest.skip(f"{FOLDER} names no folder with the parity vectors of {name}")
