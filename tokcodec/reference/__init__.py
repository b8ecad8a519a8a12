"""Pictures that resemble an earlier one: what a stream determines, taken away before coding.

`opened` reads streams that are a reference, `usable` those that a new picture can be written with;
`onto` is what a decoder adds digits to, `choose` is the encoder's way there, `taken` its last step,
and `background` makes one reference of several streams.
"""

from __future__ import annotations

from tokcodec.reference.background import background
from tokcodec.reference.choice import choose, taken
from tokcodec.reference.known import Given, Reference, named, onto, opened, usable

__all__ = [
    "Given", "Reference", "background", "choose", "named", "onto", "opened", "taken", "usable",
]  # fmt: skip
