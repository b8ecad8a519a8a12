"""A network's shape as text."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tokcodec.decoders.shape import Shape
from tokcodec.decoders.stored import KIND, Stored


def test_shapes_there_and_back() -> None:
    for shape in (Shape((8, 6, 10), (1, 2, 1), 16, (1, 1, 1)), Shape()):
        assert Shape.from_json(shape.to_json()) == shape
    for text in (
        "",
        "null",
        "[]",
        "{}",
        '{"widths": 5, "blocks": [1], "hidden": 8}',
        '{"widths": [5], "blocks": [1], "hidden": 8, "realism": [1, 1]}',
        '{"widths": [5], "blocks": [1], "hidden": 8, "realism": [0]}',
        "[" * 100_000,
        json.dumps({"widths": [5] * 17, "blocks": [1] * 17, "hidden": 8}),
    ):
        with pytest.raises((ValueError, KeyError, TypeError)):
            Shape.from_json(text)


def test_a_small_file_asks_for_few_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shape of a kilobyte could have hundreds of thousands; the file must have them, too."""
    shape = Shape((5,) * 16, (2048,) * 16, 8, (2048,) * 16)
    monkeypatch.setattr(Shape, "parameters", lambda self: pytest.fail("names were made up"))
    metadata = {"kind": KIND, "shape": shape.to_json()}
    with pytest.raises(ValueError, match="missing"):
        Stored.parse(metadata, ["out.weight", "out.bias"], lambda name: np.zeros(1))
