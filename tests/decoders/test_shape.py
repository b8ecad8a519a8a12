"""A network's shape as text."""

from __future__ import annotations

import pytest

from tokcodec.decoders.shape import Shape


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
    ):
        with pytest.raises((ValueError, KeyError, TypeError)):
            Shape.from_json(text)
