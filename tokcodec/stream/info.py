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
        digits: ternary digits that it determines, ten to a token; None likewise.
        complete: nothing was cut off; None likewise.
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

    def as_dict(self) -> dict[str, object]:
        """The same as plain values, for JSON."""
        return asdict(self)
