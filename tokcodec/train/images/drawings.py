"""Random text, shapes, lines, patterns and gradients: what screens show and photographs do not.

A few of them among the photographs keep a decoder from drawing leaves and skin into letters.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LETTERS = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,;:!?()+-/%&@#    ")
Colour = tuple[int, int, int]


def drawing(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """uint8 (height, width, 3)."""
    image = Image.fromarray(_ground(width, height, rng))
    for kind in rng.choice(len(KINDS), size=rng.integers(0, 3)):
        KINDS[kind](image, rng)
    return np.asarray(image)


def _ground(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """A flat colour, often white or black, or a gradient between two."""
    if rng.random() < 0.7:
        return np.full((height, width, 3), _colour(rng), np.uint8)
    one, two = (np.array(_colour(rng), np.float32) for _ in range(2))
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[:height, :width] / max(width, height)
    along = np.cos(angle) * x + np.sin(angle) * y
    along = (along - along.min()) / max(np.ptp(along), 1e-6)
    return np.rint(one + along[..., None] * (two - one)).astype(np.uint8)


def _colour(rng: np.random.Generator) -> Colour:
    kind = rng.random()
    if kind < 0.5:
        grey = (0, 255, int(rng.integers(256)))[rng.integers(3)]
        return grey, grey, grey
    red, green, blue = rng.integers(0, 256, 3).tolist()
    return red, green, blue


def _text(image: Image.Image, rng: np.random.Generator) -> None:
    draw, colour, y = ImageDraw.Draw(image), _colour(rng), int(rng.integers(-4, 20))
    size = int(np.exp(rng.uniform(np.log(8), np.log(64))))
    font = ImageFont.load_default(size)
    left = int(rng.integers(-size, max(1, image.width // 2)))
    while y < image.height and rng.random() < 0.95:
        line = "".join(rng.choice(LETTERS, max(1, 2 * image.width // size)))
        draw.text((left, y), line, fill=colour, font=font)
        y += round(size * 1.3)


def _boxes(image: Image.Image, rng: np.random.Generator) -> None:
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(1, 12)):
        x, x2 = np.sort(rng.integers(-20, image.width + 20, 2)).tolist()
        y, y2 = np.sort(rng.integers(-20, image.height + 20, 2)).tolist()
        shape = (draw.rectangle, draw.ellipse)[rng.integers(2)]
        outline = _colour(rng) if rng.random() < 0.3 else None
        shape((x, y, x2, y2), fill=_colour(rng), outline=outline)


def _lines(image: Image.Image, rng: np.random.Generator) -> None:
    draw, colour = ImageDraw.Draw(image), _colour(rng)
    for _ in range(rng.integers(1, 30)):
        x, x2 = rng.integers(-20, image.width + 20, 2).tolist()
        y, y2 = rng.integers(-20, image.height + 20, 2).tolist()
        draw.line((x, y, x2, y2), fill=colour, width=int(rng.integers(1, 5)))


def _chequers(image: Image.Image, rng: np.random.Generator) -> None:
    side = int(rng.choice([1, 1, 2, 2, 4, 8, 16, 31]))
    y, x = np.mgrid[: image.height, : image.width] // side
    _paint(image, (x + y) % 2 == 1, rng)


def _stripes(image: Image.Image, rng: np.random.Generator) -> None:
    """Across, down or oblique, from one pixel wide: blinds, rulings, the lines of a screen."""
    period = int(np.exp(rng.uniform(np.log(2), np.log(24))))
    steps = ((1, 0), (0, 1), (1, 1), (1, -1), (1, 2))
    down, along = steps[rng.integers(len(steps))]
    y, x = np.mgrid[: image.height, : image.width]
    _paint(image, (down * y + along * x) % period < rng.integers(1, period), rng)


def _dither(image: Image.Image, rng: np.random.Generator) -> None:
    """One colour over another in single pixels, ever denser: as printers and old screens do."""
    y, x = np.mgrid[: image.height, : image.width]
    slope = (x if rng.random() < 0.5 else y) / max(image.width, image.height)
    threshold = (2 * (x % 2) + 3 * (y % 2) - 4 * (x % 2) * (y % 2) + 0.5) / 4  # Bayer's 2 by 2
    if rng.random() < 0.5:
        threshold = rng.random(slope.shape)
    _paint(image, slope > threshold, rng)


def _paint(image: Image.Image, where: np.ndarray, rng: np.random.Generator) -> None:
    image.paste(_colour(rng), mask=Image.fromarray(where.astype(np.uint8) * 255))


KINDS: tuple[Callable[[Image.Image, np.random.Generator], None], ...] = (
    _text, _text, _boxes, _boxes, _lines, _chequers, _stripes, _dither,
)  # fmt: skip
