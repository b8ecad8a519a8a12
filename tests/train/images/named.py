"""Names of files that are held out and of others, and pictures to put there."""

from __future__ import annotations

import io
from itertools import count, islice
from pathlib import Path

import numpy as np
from PIL import Image

from tokcodec.train.images.files import Place


def file_names(kept_back: bool, number: int) -> list[str]:
    """Names of files that are held out, or of others."""
    every = (f"photograph-{i}.png" for i in count())
    wanted = (n for n in every if Place(Path(n), n, 0, None).held_out == kept_back)
    return list(islice(wanted, number))


def saved(picture: np.ndarray, form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture).save(out, form)
    return out.getvalue()
