"""One weight of a network to packed elements and scales, and back.

A weight is (outputs, inputs) or (outputs, inputs, taps...), as torch keeps linear layers and
convolutions. Each output is a sum over all inputs and taps: that is a row, and blocks run along it
with the inputs innermost: (outputs, taps..., inputs). That is the order in which engines that
compute channels-last go through it, and where inputs are a multiple of 32 no block holds numbers of
two taps, so one scale serves for 32 neighbouring channels. Padding inputs to 32 at each tap would
give the same where they are none, but make the files of small networks larger (3.5 % for the
shipped decoder); the order itself changes the error by 0.05 dB at most.
"""

from __future__ import annotations

from math import prod

import numpy as np

from tokcodec.mx.blocks import dequantise, quantise
from tokcodec.mx.formats import BLOCK, Format
from tokcodec.mx.packing import pack, unpack

Size = tuple[int, ...]


def is_weight(size: Size) -> bool:
    """Whether a tensor of that shape is what most of a network consists of: something with two axes
    or more, and a sum over at least one block. Biases, norms and single tokens are not: they are
    0.2 % of the shipped decoder, where quantising them would save half a percent of the file.
    """
    return len(size) > 1 and size[0] > 1 and prod(size[1:]) >= BLOCK


def small(x: np.ndarray) -> np.ndarray:
    """A tensor that is not quantised: float16 where that rounds no number by more than its own
    precision, else float32.
    """
    whole = x.astype(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # infinities stay float32
        half = whole.astype(np.float16)
        fits = (np.abs(half.astype(np.float32) - whole) <= np.abs(whole) * 2.0**-11).all()
    return half if fits else whole


def packed_sizes(size: Size, form: Format) -> tuple[Size, Size]:
    """The shapes of packed elements and of scales of a weight of that shape."""
    blocks = -(-prod(size[1:]) // BLOCK)
    return (size[0], blocks * BLOCK * form.bits // 8), (size[0], blocks)


def pack_weight(x: np.ndarray, form: Format) -> tuple[np.ndarray, np.ndarray]:
    """A weight to packed elements and scales, both uint8, of `packed_sizes`; raises as `quantise`
    does.
    """
    scales, elements = quantise(np.moveaxis(x, 1, -1).reshape(len(x), -1), form)
    return pack(elements.reshape(len(x), -1), form.bits), scales


def unpack_weight(packed: np.ndarray, scales: np.ndarray, size: Size, form: Format) -> np.ndarray:
    """The inverse of `pack_weight`: float32 of that shape."""
    elements = unpack(packed, form.bits).reshape(*scales.shape, BLOCK)
    rows = dequantise(scales, elements, form, prod(size[1:]))
    return np.ascontiguousarray(np.moveaxis(rows.reshape(size[0], *size[2:], size[1]), -1, 1))
