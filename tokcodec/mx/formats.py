"""The six concrete MX formats: what one element is, and how a number becomes one.

OCP Microscaling Formats (MX) Specification v1.0, section 5.3 and tables 1 to 6. Every block of 32
elements shares a scale in E8M0: a byte that stands for a power of two.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from tokcodec.errors import ArgumentError

BLOCK = 32  # elements that share a scale
INT8_STEP = 1 / 64  # what one unit of an INT8 element stands for


@dataclass(frozen=True)
class Format:
    """An element's format.

    Attributes:
        name: as on the command line and in files.
        element: as in the specification: sign bit, exponent and mantissa bits.
        bits: of an element.
        emax: exponent of the largest power of two that an element holds.
        largest: the largest finite magnitude that is written.
        kind: name of the type in ml_dtypes; empty for INT8.
    """

    name: str
    element: str
    bits: int
    emax: int
    largest: float
    kind: str

    @property
    def bits_each(self) -> float:
        """Bits a number with its share of the scale."""
        return self.bits + 8 / BLOCK

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Numbers, float32 and no NaN, to codes, uint8 of the same shape in the low `bits`: to the
        nearest element, halves to the even one, beyond the largest to the largest.

        INT8 leaves -2 unused, as the specification allows, so that no sign is favoured.

        Raises:
            ArgumentError: ml_dtypes is not installed.
        """
        x = np.clip(x, -self.largest, self.largest)
        if not self.kind:
            return np.rint(x / INT8_STEP).astype(np.int8).view(np.uint8)
        return x.astype(getattr(_ml_dtypes(), self.kind)).view(np.uint8)

    def values(self) -> np.ndarray:
        """What each code stands for: float32 (2**bits,), NaN and infinities where the format has
        them.

        Raises:
            ArgumentError: ml_dtypes is not installed.
        """
        codes = np.arange(1 << self.bits, dtype=np.uint8)
        if not self.kind:
            return codes.view(np.int8).astype(np.float32) * np.float32(INT8_STEP)
        return codes.view(getattr(_ml_dtypes(), self.kind)).astype(np.float32)


FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("mxint8", "INT8", 8, 0, 127 / 64, ""),
        Format("mxfp8", "E4M3", 8, 8, 448.0, "float8_e4m3fn"),
        Format("mxfp8-e5m2", "E5M2", 8, 15, 57344.0, "float8_e5m2"),
        Format("mxfp6", "E2M3", 6, 2, 7.5, "float6_e2m3fn"),
        Format("mxfp6-e3m2", "E3M2", 6, 4, 28.0, "float6_e3m2fn"),
        Format("mxfp4", "E2M1", 4, 2, 6.0, "float4_e2m1fn"),
    )
}


def find(name: str) -> Format:
    """The format of that name.

    Raises:
        ArgumentError: there is none.
    """
    if name not in FORMATS:
        raise ArgumentError(f"no MX format {name!r}; there are: {', '.join(FORMATS)}")
    return FORMATS[name]


def _ml_dtypes() -> ModuleType:
    try:
        import ml_dtypes
    except ImportError:
        raise ArgumentError(
            "weights in MX formats need ml_dtypes: pip install 'tokcodec[mx]'"
        ) from None
    return ml_dtypes
