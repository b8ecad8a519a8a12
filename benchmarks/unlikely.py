"""Pictures that no decoder is trained on: drawn, written, dark, empty, long and tiny ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

SIDE = 320
WORDS = (
    "A picture becomes a short list of tokens, the most telling ones first; "
    "any number of them from the start is a picture. 0123456789 (?!) [x] {y} <z> @ # % & * "
)


def unlikely(photographs: Sequence[Image.Image]) -> dict[str, Image.Image]:
    """RGB pictures by name, always the same for the same photographs (one is enough)."""
    photograph = ImageOps.fit(photographs[0], (SIDE, SIDE), Image.Resampling.LANCZOS)
    rng = np.random.default_rng(0)
    values = np.asarray(photograph, np.float32)
    across = np.linspace(0, 255, SIDE, dtype=np.float32)
    long = photographs[-1]
    return {
        "text": _text("black", "white"),
        "text, white on blue": _text("white", (20, 40, 160)),
        "screenshot": _screenshot(photograph),
        "line art": _lines(),
        "map": _map(rng),
        "night": _of(values * 0.08 + rng.normal(0, 2, values.shape)),
        "noise": _of(rng.normal(128, 40, values.shape)),
        "grainy photograph": _of(values + rng.normal(0, 12, values.shape)),
        "gradient": _of(np.stack(np.broadcast_arrays(across, across[:, None], 128.0), -1)),
        "flat": Image.new("RGB", (SIDE, SIDE), (90, 140, 60)),
        "chequers": _of(255.0 * ((np.indices((SIDE, SIDE)) // 16).sum(0) % 2)[..., None]),
        "chequers of pixels": _of(255.0 * (np.indices((SIDE, SIDE)).sum(0) % 2)[..., None]),
        "grey photograph": photograph.convert("L").convert("RGB"),
        "negative": ImageOps.invert(photograph),
        "1x1": photograph.resize((1, 1), Image.Resampling.BOX),
        "7x5": photograph.resize((7, 5), Image.Resampling.LANCZOS),
        "33x20": photograph.resize((33, 20), Image.Resampling.LANCZOS),
        "4000x30": ImageOps.fit(long, (4000, 30), Image.Resampling.LANCZOS),
        "30x4000": ImageOps.fit(long, (30, 4000), Image.Resampling.LANCZOS),
    }


def _of(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(np.broadcast_to(values, (SIDE, SIDE, 3))), 0, 255)
                           .astype(np.uint8))  # fmt: skip


def _text(ink: object, paper: object) -> Image.Image:
    image = Image.new("RGB", (SIDE, SIDE), paper)  # type: ignore[arg-type]
    draw, at, y = ImageDraw.Draw(image), 0, 4
    for size in (9, 10, 11, 12, 14, 16, 20, 28, 40, 60):
        font = ImageFont.load_default(size)
        for _ in range(2):
            draw.text((4, y), (WORDS[at:] + WORDS)[: 600 // size], fill=ink, font=font)  # type: ignore[arg-type]
            at, y = (at + 17) % len(WORDS), y + round(1.25 * size)
    return image


def _screenshot(photograph: Image.Image) -> Image.Image:
    image = Image.new("RGB", (SIDE, SIDE), (236, 238, 241))
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(11)
    draw.rectangle((0, 0, SIDE, 24), fill=(45, 50, 60))
    for i, word in enumerate(("File", "Edit", "View", "Help")):
        draw.text((8 + 40 * i, 6), word, fill="white", font=font)
    draw.rectangle((0, 24, 90, SIDE), fill=(220, 224, 230))
    for i in range(12):
        draw.rectangle((8, 34 + 22 * i, 18, 44 + 22 * i), fill=(30 * i % 256, 120, 200))
        draw.text((24, 33 + 22 * i), WORDS[9 * i : 9 * i + 9], fill="black", font=font)
    image.paste(photograph.resize((140, 100), Image.Resampling.LANCZOS), (110, 40))
    for i in range(9):
        draw.text((110, 154 + 16 * i), WORDS[5 * i : 5 * i + 36], fill=(40, 40, 40), font=font)
    draw.rounded_rectangle((250, 296, 312, 314), 5, fill=(40, 110, 230))
    draw.text((264, 298), "Save", fill="white", font=font)
    return image


def _lines() -> Image.Image:
    image = Image.new("RGB", (SIDE, SIDE), "white")
    draw = ImageDraw.Draw(image)
    for i in range(24):
        angle = np.pi * i / 24
        x, y = 150 * np.cos(angle), 150 * np.sin(angle)
        draw.line((160 - x, 160 - y, 160 + x, 160 + y), fill="black", width=1 + i % 3)
        draw.ellipse((160 - 6 * i, 160 - 6 * i, 160 + 6 * i, 160 + 6 * i), outline="black")
    return image


def _map(rng: np.random.Generator) -> Image.Image:
    image = Image.new("RGB", (SIDE, SIDE), (170, 210, 240))
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        corners = rng.integers(-20, SIDE + 20, 2) + rng.integers(-60, 60, (5, 2))
        colour = tuple(int(v) for v in rng.integers(80, 256, 3))
        draw.polygon([tuple(c) for c in corners.tolist()], fill=colour, outline=(60, 60, 60))
    return image
