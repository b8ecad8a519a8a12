"""Photographs of several shapes, one in grey."""

from __future__ import annotations

import pytest

PHOTOGRAPHS = [("astronaut", 96, 80), ("coffee", 101, 67), ("camera", 64, 64), ("chelsea", 40, 130)]


@pytest.fixture(params=PHOTOGRAPHS, ids=lambda p: f"{p[0]}-{p[1]}x{p[2]}")
def picture(request, photograph):
    return photograph(*request.param)
