"""A codec for the tests, and rows of its files."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from benchmarks.rows import Row, settings_text
from tokcodec.errors import ArgumentError
from tokcodec.psnr import psnr


class Shrinking:
    """A codec for the tests: a PPM of `scale`."""

    version = "1"

    def __init__(self, name: str) -> None:
        if name == "missing":
            raise ArgumentError("no codec missing")
        self.name = name

    def encode(self, image: Image.Image, settings: dict[str, float]) -> bytes:
        out = io.BytesIO()
        image.resize((settings["width"], settings["width"]), Image.Resampling.LANCZOS).save(
            out, "PPM"
        )
        return out.getvalue()

    def decode(self, data: bytes, size: tuple[int, int]) -> Image.Image:
        return Image.open(io.BytesIO(data)).resize(size, Image.Resampling.BICUBIC)


def measured(
    codec: str, images: dict[str, Image.Image], widths: dict[int, int | None]
) -> list[Row]:
    """Rows of Shrinking; `widths` by target, None where nothing fits."""
    maker, rows = Shrinking("any"), []
    for name, image in images.items():
        for target, width in widths.items():
            if width is None:
                rows.append(Row(name, codec, "1", "nothing fits: smallest 99", target, "PSNR"))
                continue
            settings = {"width": width}
            data = maker.encode(image, settings)
            value = psnr(np.asarray(maker.decode(data, image.size)), np.asarray(image))
            text = settings_text(settings)
            rows.append(Row(name, codec, "1", text, target, "PSNR", len(data), value))
    return rows
