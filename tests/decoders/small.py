"""Small decoders of random weights, and what goes into them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import tokcodec
from tokcodec.coder import codestring
from tokcodec.decoders.shape import Shape
from tokcodec.decoders.steps import Step, climb, merge, stacked
from tokcodec.decoders.stored import Stored
from tokcodec.registry import DEFAULT, shipped
from tokcodec.tokens.knowledge import Knowledge
from tokcodec.tokens.order import order_for
from tokcodec.tokens.reconstruction import dequantise

SMALL = Shape((8, 6, 10), (1, 2, 1), 16, (1, 1, 2))
SHAPES = [Shape((8,), (2,), 8), Shape((8, 6), (2, 1), 8, (2, 1)), SMALL]
SIZES = [(5, 5), (1, 9), (3, 200), (200, 3), (300, 1), (64, 64), (97, 131)]  # height, width


def random_decoder(shape: Shape = SMALL, about: dict | None = None) -> Stored:
    generator = np.random.default_rng(0)
    weights = {
        name: generator.normal(0, 0.1, size).astype(np.float16)
        for name, size in shape.parameters().items()
    }
    return Stored(shape, weights, {"realism": 0.75} if about is None else about)


def as_file(kept: Stored, path: Path) -> Path:
    """In the form that its suffix tells."""
    from safetensors.numpy import save

    from tokcodec.decoders.onnx_file import to_bytes

    onnx_wanted = path.suffix == ".onnx"
    path.write_bytes(to_bytes(kept) if onnx_wanted else save(kept.weights, kept.metadata()))
    return path


def read_back(picture: np.ndarray, budget: int = 150) -> Knowledge:
    """What a cut stream tells of a picture; a grey one has one channel."""
    grey = bool((picture == picture[..., :1]).all())
    order = order_for(shipped(DEFAULT), *picture.shape[:2], 1 if grey else 3)
    return codestring.read(order, tokcodec.encode(picture, budget=budget, bare=True)).known


def steps_of(known: Knowledge) -> list[Step[np.ndarray]]:
    """The steps up of a picture in colour."""
    each = len(known.order.bands) // 3
    bands = [
        np.stack([dequantise(known, c * each + i) for c in range(3)])[None] for i in range(each)
    ]
    return climb(bands, known.order.height, known.order.width, merge)


def fed(steps: list[Step[np.ndarray]], told: np.ndarray, realism: float, count: int) -> dict:
    """What goes into a whole model of `count` resolutions: one picture."""
    bands = [stacked(s) for s in reversed(steps)][:count]
    bands += [np.zeros((1, 12, 1, 1), np.float32)] * (count - len(bands))
    given = {f"bands_{i}": b for i, b in enumerate(bands)}
    return given | {"received": told, "realism": np.full(1, realism, np.float32)}
