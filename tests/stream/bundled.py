"""Streams for a bundle, and their names."""

from __future__ import annotations

import numpy as np
from PIL import Image
from skimage import data

import tokcodec
from tokcodec import registry
from tokcodec.stream import header as headers
from tokcodec.stream.header import Header

NAMES = ["chelsea", "coffee", "grey", "a name with spaces", "ein Name: äöü 画像", "", "wide"]


def make_streams() -> list[bytes]:
    """Streams of several sizes, one grey, one of a wide picture, one of nothing but a header."""
    pictures = []
    for name in ("chelsea", "coffee", "astronaut"):
        image = Image.fromarray(getattr(data, name)())
        image.thumbnail((32, 32))
        pictures.append(image)
    streams = [tokcodec.encode(p, 20 + 30 * i) for i, p in enumerate(pictures)]
    streams[2] = tokcodec.encode(pictures[2].convert("L"), 40)
    code, _ = registry.code_of(tokcodec.load().model)
    extended = Header(code, 32, 21, extension=((4, b"kept"), (99, b"")))
    streams.append(headers.write(extended, tokcodec.load().model.sha256) + streams[0][8:])
    streams.append(tokcodec.encode(pictures[0], max_bytes=9))
    streams.append(tokcodec.encode(pictures[1], budget=0))
    streams.append(tokcodec.encode(np.full((3, 4100), 77, np.uint8), 10))
    return streams
