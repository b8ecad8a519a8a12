"""A stream and what it rests on to the picture that the linear decoder draws."""

from __future__ import annotations

import numpy as np

import tokcodec


def drawn(data: bytes, **options) -> np.ndarray:
    return np.asarray(tokcodec.decode(data, decoder="linear", **options))
