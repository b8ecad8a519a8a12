"""JPEG 2000 by OpenJPEG in Pillow: the irreversible transform, a bare codestream of one layer."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, features

from benchmarks.codecs import Settings
from benchmarks.codecs.pillow import made_by, opened, saved
from benchmarks.codecs.scaled import Scaled
from tokcodec.errors import ArgumentError

COM, SOT = 0x64, 0x90
FINEST = 1.01  # ratio between neighbouring rates
STEPS = 1400  # rates from 1 to about a million
RESOLUTIONS = (6, 5, 3)


class Jpeg2000(Scaled):
    """Colours decorrelated (Pillow's default is not to: 1.4 to 3 dB worse), rate by the encoder's
    own optimisation, comment left out. Fewer resolutions than the usual 6 shorten the header, which
    is worth up to 0.9 dB below 500 bytes.
    """

    name = "jpeg2000"
    knob = "rate"
    above, below = 2, 0

    def __init__(self) -> None:
        self.version = made_by("JPEG2000")

    def variants(self) -> list[tuple[Settings, Sequence[int | float]]]:
        rates = [float(f"{FINEST**step:.4g}") for step in reversed(range(STEPS))]
        return [({"resolutions": n}, rates) for n in RESOLUTIONS]

    def compress(self, image: Image.Image, settings: Settings) -> bytes:
        possible = min(image.size).bit_length()  # each resolution halves the sides
        return without_comment(
            saved(
                image, "JPEG2000", no_jp2=True, irreversible=True, mct=1, quality_mode="rates",
                quality_layers=[settings["rate"]],
                num_resolutions=min(int(settings["resolutions"]), possible),
            )
        )  # fmt: skip

    def expand(self, data: bytes) -> Image.Image:
        return opened(data, "JPEG2000")


def without_comment(data: bytes) -> bytes:
    """A codestream without the comments in its main header, the encoder's name among them."""
    out, at = bytearray(data[:2]), 2
    while data[at + 1] != SOT:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] != COM:
            out += data[at:end]
        at = end
    return bytes(out + data[at:])


def make() -> Jpeg2000:
    if not features.check("jpg_2000"):
        raise ArgumentError("this Pillow has no JPEG 2000: pip install --upgrade pillow")
    return Jpeg2000()
