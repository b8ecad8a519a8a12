"""A codec's name to how it is shown everywhere: label, colour, marker."""

from __future__ import annotations

from typing import NamedTuple

from benchmarks.rows import is_ours

LABELS = {
    "webp": "WebP",
    "avif": "AVIF",
    "jxl": "JPEG XL",
    "jpeg2000": "JPEG 2000",
    "jpeg": "JPEG",
    "thumbhash": "ThumbHash",
    "blurhash": "BlurHash",
}


class Look(NamedTuple):
    colour: str
    marker: str  # of matplotlib; tells codecs apart in grey, too
    width: float


# Colours after Okabe and Ito (2008), which colour-blind readers can tell apart.
LOOKS = {
    "webp": Look("#0072B2", "s", 1.4),
    "avif": Look("#E69F00", "^", 1.4),
    "jxl": Look("#009E73", "D", 1.4),
    "jpeg2000": Look("#56B4E9", "v", 1.4),
    "jpeg": Look("#D55E00", "X", 1.4),
    "thumbhash": Look("#CC79A7", "P", 1.4),
    "blurhash": Look("#8C6D31", "*", 1.4),
}
OURS = (
    Look("#000000", "o", 2.4), Look("#6A3D9A", "p", 2.4), Look("#707070", "h", 2.4),
    Look("#7B3F00", "8", 2.4),
)  # fmt: skip
OTHERS = (Look("#1B4D3E", "<", 1.4), Look("#9A9A9A", ">", 1.4), Look("#B15928", "d", 1.4))


def label(codec: str) -> str:
    """
    >>> label("tokcodec:pyramid@linear"), label("jxl"), label("tokcodec:models/my.safetensors")
    ('tokcodec pyramid, linear', 'JPEG XL', 'tokcodec my.safetensors')
    """
    if not is_ours(codec):
        return LABELS.get(codec, codec)
    model, _, decoder = codec.partition(":")[2].partition("@")
    name = f"tokcodec {model.rstrip('/').rpartition('/')[2]}".strip()
    return ", ".join([name, *decoder.split("@")]) if decoder else name


def looks(codecs: tuple[str, ...]) -> dict[str, Look]:
    """A look for each codec; the known ones always have the same."""
    ours, others = [c for c in codecs if is_ours(c)], [c for c in codecs if c not in LOOKS]
    strangers = [c for c in others if not is_ours(c)]
    found = {c: LOOKS[c] for c in codecs if c in LOOKS}
    found |= {c: OURS[i % len(OURS)] for i, c in enumerate(ours)}
    return found | {c: OTHERS[i % len(OTHERS)] for i, c in enumerate(strangers)}
