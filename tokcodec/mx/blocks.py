"""Numbers to blocks of 32 elements with a shared scale, and back.

OCP Microscaling Formats (MX) Specification v1.0, section 6.3: the scale is the largest power of two
in the block over the largest power of two that an element holds. Numbers that end up above the
largest element, which are less than twice as large, become the largest.
"""

from __future__ import annotations

import numpy as np

from tokcodec.errors import InputError
from tokcodec.mx.formats import BLOCK, Format

BIAS = 127  # of a scale's exponent
MIN_EXPONENT, MAX_EXPONENT = -127, 127  # exponents that a scale can have
NO_NUMBER = 255  # the scale of a block that holds NaN


def quantise(x: np.ndarray, form: Format) -> tuple[np.ndarray, np.ndarray]:
    """Rows of numbers to scales and elements.

    Args:
        x: (rows, n) of floating-point numbers, taken as float32; blocks run along n, and the last
            one of a row is filled up with zeros.
        form: the elements' format.

    Returns:
        Scales, uint8 (rows, blocks): 127 plus the exponent of the power of two, 0 in a block of
        zeros. Elements, uint8 (rows, blocks, 32): codes in the low bits.

    Raises:
        InputError: NaN, infinity, or beyond float32: the specification leaves open what becomes of
            them, and a network with such weights draws nothing.
        ArgumentError: ml_dtypes is not installed.
    """
    rows, n = x.shape
    padded = np.zeros((rows, -(-n // BLOCK) * BLOCK), np.float32)
    with np.errstate(over="ignore"):
        padded[:, :n] = x
    if not np.isfinite(padded).all():
        raise InputError("it holds numbers that are not finite")
    blocks = padded.reshape(rows, -1, BLOCK)
    # frexp's fractions lie in 0.5..1, so its exponent is one above the largest power of two.
    exponents = np.frexp(np.abs(blocks).max(-1))[1] - 1 - form.emax
    exponents = np.where(
        blocks.any(-1), np.clip(exponents, MIN_EXPONENT, MAX_EXPONENT), MIN_EXPONENT
    )
    elements = form.encode(np.ldexp(blocks, -exponents[..., None]))
    return (exponents + BIAS).astype(np.uint8), elements


def dequantise(scales: np.ndarray, elements: np.ndarray, form: Format, n: int) -> np.ndarray:
    """The inverse of `quantise`, but for rounding.

    Args:
        scales: uint8 (rows, blocks).
        elements: uint8 (rows, blocks, 32), below 2**bits.
        form: the elements' format.
        n: numbers in a row, at most 32 a block.

    Returns:
        float32 (rows, n); NaN where the scale is 255 or the element NaN, and infinite where the
        element is, or the number too large for float32.

    Raises:
        ArgumentError: ml_dtypes is not installed.
    """
    exponents = scales.astype(np.int32) - BIAS
    with np.errstate(over="ignore"):
        x = np.ldexp(form.values()[elements], exponents[..., None])
    x[scales == NO_NUMBER] = np.nan
    return x.reshape(len(x), -1)[:, :n]
