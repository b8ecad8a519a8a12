"""What a stream says of itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Info:
    """What is known of a stream without looking at the picture.

    Attributes:
        model: name of the model; model_id: its identity, 64 hexadecimal digits.
        width, height: of the original, in pixels.
        grey: coded as luma alone (R = G = B).
        bytes: of the whole stream, of which header_bytes are the header.
        bits_per_pixel: of the whole stream.
        tokens: whole tokens that the stream determines; None if they were not counted.
        digits: digits that it determines, for pyramids ternary, ten to a token; None likewise.
        complete: nothing was cut off; None likewise.
        shortest: fewest tokens that the model draws well from: 1, or all where it cannot do with
            less.
        reference: hash of the picture that this one is decoded with, eight hexadecimal digits; None
            if it stands alone. Tokens then tell what has changed.
    """

    model: str
    model_id: str
    width: int
    height: int
    grey: bool
    bytes: int
    header_bytes: int
    bits_per_pixel: float
    tokens: int | None
    digits: int | None
    complete: bool | None
    shortest: int = 1
    reference: str | None = None

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for JSON."""
        return asdict(self)
